"""Facts: what reading a project found, each with its evidence and, where it is a choice, its certainty."""

from dataclasses import dataclass
from typing import Literal

Certainty = Literal["certain", "likely", "guess", "none"]
Interface = Literal["wsgi", "asgi"]
Manager = Literal["pip", "uv", "poetry", "pdm", "pipenv", "setuptools", "conda", "none"]


@dataclass(frozen=True, slots=True)
class Place:
    """A file (POSIX path relative to the project) and, where known, a line counted from 1."""

    file: str
    line: int | None = None


Evidence = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One object that could be the app.

    `ref` is `module:attribute` or `module:factory('argument')`, importable with `folder` (relative to the project,
    "" for its root) as working directory and first import path.
    """

    ref: str
    folder: str
    interface: Interface
    factory: bool
    certainty: Certainty
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AppFact:
    """The app: the best candidate, or none with `command` (the project's own way to start) where one was found.

    `import_paths` are the folders, relative to the project, that must be importable besides `folder` (such as `src`).
    `websocket` names the library that needs sticky routes or one process (`flask-socketio`, `flask-sock`, ...).
    """

    ref: str | None
    command: str | None
    folder: str
    interface: Interface
    factory: bool
    file: str | None
    line: int | None
    certainty: Certainty
    reason: str
    candidates: tuple[Candidate, ...]
    import_paths: tuple[str, ...]
    async_views: bool
    websocket: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class PythonFact:
    """`version` is exact ("3.11", "3.8.18") where the project names one; `requires` a specifier (">=3.9,<3.12")."""

    version: str | None
    requires: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Requirement:
    """One direct dependency: normalised `name`, `spec` as written ("==2.0.1", ">=1,<2", "" when unpinned)."""

    name: str
    spec: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DependenciesFact:
    """Where dependencies come from. `source` is the file that installs production's set; `files` all that it reads."""

    source: str | None
    manager: Manager
    files: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DataFact:
    """A database, cache or broker. `path` is the file, relative to the project, of an SQLite database inside it."""

    engine: str  # postgresql mysql mariadb sqlite redis mongodb memcached rabbitmq elasticsearch ...
    name: str
    variable: str | None
    library: str | None  # sqlalchemy peewee psycopg2 sqlite3 redis ...
    path: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class MigrationsFact:
    tool: str  # flask-migrate alembic peewee yoyo ...
    command: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ReleaseCommandFact:
    """A command that prepares the data. `once`: it loses data, or fails, when it is repeated."""

    command: str
    once: bool
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ProcessFact:
    """A process beside or instead of web. `once`: one instance at the most, whatever the scale."""

    name: str
    command: str
    once: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class StaticFact:
    url: str
    folder: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FolderFact:
    """A folder or file inside the project that the running app writes: uploads, an instance folder, an index."""

    path: str
    kind: str  # uploads instance logs index cache
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class VariableFact:
    """A variable the app reads. `required`: it does not start without. `secret`: its value must not be shown.

    `suggestion` is a production value found by reading (a config selector's `production`), never a secret's value.
    """

    name: str
    required: bool
    secret: bool
    suggestion: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class BuildFact:
    """A build step (npm): words as one would type them, and the folder they run in."""

    command: str
    folder: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Warn:
    """Something that will hurt in production. `code` is a stable kebab-case word, `message` one sentence."""

    code: str
    message: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything reading found; the value behind `carboy inspect --json`."""

    name: str  # of the project: a DNS label made from its metadata or its folder
    app: AppFact
    python: PythonFact
    dependencies: DependenciesFact
    data: tuple[DataFact, ...]
    migrations: MigrationsFact | None
    release_commands: tuple[ReleaseCommandFact, ...]
    processes: tuple[ProcessFact, ...]
    static: tuple[StaticFact, ...]
    uploads: tuple[FolderFact, ...]
    variables: tuple[VariableFact, ...]
    build: tuple[BuildFact, ...]
    warnings: tuple[Warn, ...]
