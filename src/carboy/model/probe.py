"""What a probe saw: the app imported in a child process, in its own environment."""

from dataclasses import dataclass
from typing import Literal

ProbeStatus = Literal["ok", "no-app", "no-routes", "import-error", "missing-variable", "exited", "timeout", "crashed"]


@dataclass(frozen=True, slots=True)
class Route:
    """One rule of the URL map. `arguments` are its converters' names; `asynchronous` where the view is a coroutine."""

    rule: str
    methods: tuple[str, ...]
    endpoint: str
    arguments: tuple[str, ...]
    asynchronous: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that a process opened: engine, address without any password, and name or absolute path."""

    engine: str
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class PageTry:
    """One GET tried on a scratch database: the status, or None where it raised or hung."""

    path: str
    status: int | None


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The answer for one reference.

    `message` is one sentence for people, `traceback` is cut to the project's own frames, `missing` the variable or
    module that was missing, `placeholders` the variables that were given made-up values so that it imports,
    `written` the files relative to the project that the import made, `output` the last lines it printed.
    `static_files` are addresses (`/static/style.css`); `notes` are sentences for people: that it could not be cut off
    from the network, that the import starts a server which was not started.
    """

    status: ProbeStatus
    ref: str
    interface: str | None = None
    flask: str | None = None
    python: str | None = None
    import_name: str | None = None
    routes: tuple[Route, ...] = ()
    static_url: str | None = None
    static_files: tuple[str, ...] = ()
    async_views: bool = False
    extensions: tuple[str, ...] = ()
    debug: bool = False
    opened: tuple[Opened, ...] = ()
    pages: tuple[PageTry, ...] = ()
    commands: tuple[str, ...] = ()
    message: str = ""
    traceback: str = ""
    missing: str | None = None
    placeholders: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
