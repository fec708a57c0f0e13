"""How a server is started: what `servers` makes of a Plan, and what a target starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from carboy.model.artifact import Artifact


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens: a TCP `host` and `port`, or the path of a Unix `socket`."""

    host: str = "127.0.0.1"
    port: int = 8000
    socket: str | None = None


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute folders of a release on the host where it runs.

    `bin` holds the environment's programs, `artifacts` the rendered files, `source` the project's copy,
    `run` private sockets and pid files.
    """

    bin: str
    artifacts: str
    source: str
    run: str


@dataclass(frozen=True, slots=True)
class Launch:
    """A server ready to be started.

    `argv[0]` is absolute. `artifacts` have paths relative to `Paths.artifacts`. `requirements` are pip requirements
    that the app's environment must have besides its own. `workers` is how many different processes answer requests,
    `notes` are sentences for people (a pin that was chosen and why).
    """

    argv: tuple[str, ...]
    artifacts: tuple[Artifact, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    workers: int = 1
    stop_signal: str = "SIGTERM"
    notes: tuple[str, ...] = ()
