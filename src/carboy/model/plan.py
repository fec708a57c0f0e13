"""The Plan: what is wanted, for one tier, whole and frozen.

Every key of carboy.toml is declared here once: its type, its default and, in the field's metadata, its help and its
limits. `planfile.schema` derives the validation, the JSON schema, `carboy explain` and the reference page from this.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

ServerKind = Literal["gunicorn", "uwsgi", "waitress", "uvicorn", "granian"]
WorkerClass = Literal["sync", "gthread", "gevent", "eventlet", "uvicorn", "asgi"]
TierName = Literal["development", "testing", "staging", "production"]
Count = int | Literal["auto"]


def setting(
    help_text: str,
    default: Any = MISSING,
    *,
    factory: Any = MISSING,
    minimum: float | None = None,
    maximum: float | None = None,
    example: str | None = None,
    secret: bool = False,
    pattern: str | None = None,
    form: str | None = None,
) -> Any:
    """Declare one key of the plan: `help_text` is one or two sentences, limits are inclusive.

    `pattern` is a regular expression for a text, for each text of a list, or for the names of a table; `form` says
    the same for people.
    """
    metadata = {
        "help": help_text,
        "minimum": minimum,
        "maximum": maximum,
        "example": example,
        "secret": secret,
        "pattern": pattern,
        "form": form,
    }
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


INSIDE: Final = r"^(?![/\\~])(?![A-Za-z]:)(?!(.*[/\\])?\.\.([/\\]|$))[^\n]*$"  # a path that stays in the project
INSIDE_FORM: Final = "a path inside the project"
ROUTE: Final = r"^/\S*$"
ROUTE_FORM: Final = "a path that begins with /"
VARIABLE: Final = r"^(?!CARBOY_)[A-Za-z_][A-Za-z0-9_]*$"
VARIABLE_FORM: Final = "the name of a variable, not one of Carboy's own (CARBOY_...)"


def _no_entries() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """`[app]`: what is served."""

    name: str = setting(
        "Name of the project: small letters, digits and dashes; at most 40 characters.",
        "",
        pattern=r"^([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?$",
        form="small letters, digits and dashes, at most 40",
    )
    ref: str | None = setting(
        "The app object or factory as module:attribute or module:factory('argument').",
        None,
        example="shop:create_app('production')",
    )
    command: str | None = setting(
        "The project's own command that starts its server, for a project with nothing to import. It must listen on "
        "the port in $PORT.",
        None,
        example="python -m shop serve --port $PORT",
    )
    interface: Literal["wsgi", "asgi"] = setting("What the object speaks.", "wsgi")
    async_views: bool = setting("Whether Flask views are coroutines; green workers cannot serve them.", False)
    websocket: str | None = setting(
        "Library of long connections: flask-socketio needs one process or sticky routes, others a thread for each.",
        None,
        example="flask-socketio",
    )
    folder: str = setting(
        "Working directory and first import path, relative to the project.",
        "",
        example="backend",
        pattern=INSIDE,
        form=INSIDE_FORM,
    )
    import_paths: tuple[str, ...] = setting(
        "Further import paths, relative to the project.", (), example='["src"]', pattern=INSIDE, form=INSIDE_FORM
    )
    python: str | None = setting(
        "Python version of the app's environment.",
        None,
        example="3.12",
        pattern=r"^\d+\.\d+(\.\d+)?$",
        form='a version such as "3.12"',
    )
    source: str | None = setting(
        "File that the dependencies are installed from.",
        None,
        example="requirements.txt",
        pattern=INSIDE,
        form=INSIDE_FORM,
    )
    manager: Literal["pip", "uv", "poetry", "pdm", "pipenv", "setuptools", "conda", "none"] = setting(
        "The packaging tool that this file belongs to.", "none"
    )
    packages: tuple[str, ...] = setting(
        "Packages to install besides the project's own, such as a driver or a cap that an aged project needs.",
        (),
        example='["psycopg2-binary", "setuptools<81"]',
    )
    exclude_newer: str | None = setting(
        "Install only versions published before this date: the working set of an aged project.",
        None,
        example="2021-06-30",
        pattern=r"^\d{4}-\d\d-\d\d(T\S+)?$",
        form='a date such as "2021-06-30"',
    )
    build: tuple[str, ...] = setting(
        "Build steps, run in the release before it starts, such as npm's.", (), example='["npm ci", "npm run build"]'
    )
    shared: tuple[str, ...] = setting(
        "Files and folders that the app writes and that outlive a release: an SQLite file, uploads, instance.",
        (),
        example='["instance", "uploads"]',
        pattern=INSIDE,
        form=INSIDE_FORM,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """`[server]`: the production server and its numbers."""

    kind: ServerKind = setting("Which production server.", "gunicorn")
    worker_class: WorkerClass = setting("Gunicorn's worker class; other servers have one of their own.", "gthread")
    workers: Count = setting(
        'Worker processes; "auto" works them out from CPU quota and memory.', "auto", minimum=1, maximum=512
    )
    threads: Count = setting("Threads in each worker, where the worker has them.", "auto", minimum=1, maximum=1024)
    timeout: int = setting(
        "Seconds after which a worker that does not answer is replaced.", 60, minimum=1, maximum=86400
    )
    graceful_timeout: int = setting("Seconds that running requests get at a stop.", 30, minimum=1, maximum=3600)
    keepalive: int = setting("Seconds an idle connection is kept.", 5, minimum=0, maximum=3600)
    backlog: int = setting("Connections that may wait to be accepted.", 2048, minimum=1, maximum=65535)
    worker_connections: int = setting(
        "Connections at once for each green or asynchronous worker.", 1000, minimum=1, maximum=100000
    )
    max_requests: int = setting("Requests after which a worker is replaced; 0 is never.", 0, minimum=0)
    max_requests_jitter: int = setting(
        "Spread of max_requests, so that workers are not replaced together.", 0, minimum=0
    )
    preload: bool = setting(
        "Import the app before the workers are made: less memory, but connections must not be opened at import.", False
    )
    limit_request_line: int = setting("Longest request line in bytes.", 4094, minimum=0, maximum=8190)
    limit_request_fields: int = setting("Most header fields of a request.", 100, minimum=1, maximum=32768)
    limit_request_field_size: int = setting("Longest header field in bytes.", 8190, minimum=0, maximum=65536)
    umask: str = setting(
        "Permissions taken away from files that the app makes, octal.",
        "027",
        pattern=r"^0?[0-7]{3}$",
        form='octal digits such as "027"',
    )
    access_log: bool = setting("Write a line for each request.", True)
    reason: str = setting("Why this server was chosen; for people.", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """`[processes.<name>]`: a process beside the web server."""

    command: str = setting(
        "What starts it, words as in a shell without its operators.", example="celery -A shop worker"
    )
    scale: int = setting("How many instances.", 1, minimum=0, maximum=256)
    once: bool = setting("One instance at the most, whatever the scale: a scheduler.", False)
    stop_timeout: int = setting("Seconds it gets at a stop.", 30, minimum=1, maximum=3600)


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """`[release]`: what prepares a release before it takes traffic."""

    commands: tuple[str, ...] = setting(
        "Run once for each release, safe to repeat: migrations, reference data.", (), example='["flask db upgrade"]'
    )
    initial: tuple[str, ...] = setting(
        "Run once, before the first release only, because they lose data or fail when they are repeated.",
        (),
        example='["flask init-db"]',
    )
    timeout: int = setting("Seconds that one command may take.", 600, minimum=1, maximum=86400)


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """`[health]`: what the gate asks before a release is called good."""

    live: str = setting(
        "Route that says the process lives; Carboy's wrapper answers it.", "/health", pattern=ROUTE, form=ROUTE_FORM
    )
    ready: str = setting(
        "Route that says the app can work; Carboy's wrapper answers it unless the app has its own.",
        "/ready",
        pattern=ROUTE,
        form=ROUTE_FORM,
    )
    pages: tuple[str, ...] = setting(
        "Pages that must answer below 500, best ones that need the database.",
        (),
        example='["/", "/products"]',
        pattern=ROUTE,
        form=ROUTE_FORM,
    )
    static: str | None = setting(
        "One static file that must be served.", None, example="/static/style.css", pattern=ROUTE, form=ROUTE_FORM
    )
    timeout: int = setting("Seconds until the whole gate must have passed.", 60, minimum=1, maximum=3600)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """`[proxy]`: who stands in front."""

    trusted: int = setting(
        "How many proxies in front set X-Forwarded-For, -Proto and -Host; 0 trusts nobody.", 0, minimum=0, maximum=10
    )
    prefix: bool = setting("Whether those proxies also set X-Forwarded-Prefix.", False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Logs:
    """`[logs]`: the stream of all processes."""

    max_bytes: int = setting("Size of a log file in bytes before it is rotated.", 10_000_000, minimum=10_000)
    keep: int = setting("Rotated files that are kept.", 10, minimum=1, maximum=1000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One tier's plan."""

    tier: TierName = setting("Which tier this is.", "production")
    target: Literal["local"] = setting("Where it runs.", "local")
    app: App = setting("What is served.", factory=App)
    server: Server = setting("The production server.", factory=Server)
    processes: Mapping[str, Process] = setting(
        "Processes beside the web server.",
        factory=_no_entries,
        pattern=r"^(?!web$)[a-z][a-z0-9-]{0,30}$",
        form="small letters, digits and dashes; web is the server itself",
    )
    release: Release = setting("What prepares a release.", factory=Release)
    health: Health = setting("What the gate asks.", factory=Health)
    proxy: Proxy = setting("Who stands in front.", factory=Proxy)
    logs: Logs = setting("The log stream.", factory=Logs)
    variables: Mapping[str, str] = setting(
        "Variables the app reads that are no secrets; secrets belong in .env or the environment.",
        factory=_no_entries,
        example='{ FLASK_CONFIG = "production" }',
        pattern=VARIABLE,
        form=VARIABLE_FORM,
    )
    secrets: tuple[str, ...] = setting(
        "Names of the variables that are secrets; never their values.",
        (),
        example='["SECRET_KEY", "DATABASE_URL"]',
        pattern=VARIABLE,
        form=VARIABLE_FORM,
    )
