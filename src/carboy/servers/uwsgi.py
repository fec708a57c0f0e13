"""uWSGI, as the package pyuwsgi installs it: a commented ini."""

from collections.abc import Collection, Iterator
from typing import Final

from carboy.model.artifact import Artifact
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.quoting import uwsgi
from carboy.servers.base import WSGI_OBJECT
from carboy.servers.sizing import Size
from carboy.servers.variables import common
from carboy.servers.versions import requirement

CONFIG: Final = "uwsgi.ini"
_LONGEST_SOCKET: Final = 100  # the kernel takes 107 bytes, macOS 103; a longer one keeps uWSGI from starting
_LARGEST_BUFFER: Final = 65535
_NO_ADDRESS: Final = "no stats socket: the path of the run folder is longer than a socket's may be"

Line = tuple[str, str, str]


def launch(plan: Plan, numbers: Size, listen: Listen, paths: Paths) -> Launch:
    """Start uWSGI with our ini and nothing else."""
    stats = _stats(listen, paths)
    return Launch(
        argv=(f"{paths.bin}/uwsgi", "--ini", f"{paths.artifacts}/{CONFIG}"),
        artifacts=(Artifact(CONFIG, config(plan, numbers, listen, stats)),),
        variables=common(plan, numbers),
        workers=numbers.workers,
        notes=(numbers.reason, *(() if stats else (_NO_ADDRESS,))),
    )


def requirements(_plan: Plan, python_version: str | None, _installed: Collection[str] | None) -> tuple[str, ...]:
    """Return pyuwsgi, whose wheels need no compiler, unlike those of the package uwsgi."""
    return (requirement("pyuwsgi", python_version),)


def config(plan: Plan, numbers: Size, listen: Listen, stats: str | None) -> str:
    """Write the file for one plan."""
    lines = ["; Written by Carboy from carboy.toml. It works without Carboy.", "[uwsgi]"]
    for title, settings in _sections(plan, numbers, listen, stats):
        lines += ["", f"; == {title}"]
        for name, value, reason in settings:
            lines += [f"; {reason}", f"{name} = {uwsgi(value)}"]
    return "\n".join(lines) + "\n"


def _stats(listen: Listen, paths: Paths) -> str | None:
    # Named by the port, because the old release's vacuum would remove the new one's.
    path = f"{paths.run}/uwsgi-stats-{listen.port}.sock"
    return path if len(path.encode()) <= _LONGEST_SOCKET else None


def _sections(plan: Plan, numbers: Size, listen: Listen, stats: str | None) -> Iterator[tuple[str, list[Line]]]:
    yield "Where it listens", list(_sockets(numbers, listen))
    yield "The app", _app(plan)
    yield "Workers", list(_workers(plan, numbers))
    yield "Stopping", _stopping(plan)
    yield "What a client may send", _limits(plan)
    yield "Who is believed", _trust()
    yield "Logs", _logs()
    yield "The process", list(_process(plan, stats))


def _sockets(numbers: Size, listen: Listen) -> Iterator[Line]:
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    reason = "HTTP without keep-alive: an idle connection would hold a thread."
    yield "http-socket", listen.socket or f"{host}:{listen.port}", reason
    yield "add-header", "Connection: close", "uWSGI closes after each response and does not say so by itself."
    yield "listen", str(numbers.backlog), "Connections that may wait; uWSGI does not start above the kernel's limit."


def _trust() -> list[Line]:
    return [
        (
            "route-run",
            "setscheme:http",
            "uWSGI would take the scheme from any client's X-Forwarded-Proto; Carboy's wrapper asks who said it.",
        ),
    ]


def _app(plan: Plan) -> list[Line]:
    lazy = "Each worker imports the app for itself: no connection or lock is shared across a fork."
    early = "The app is imported once before the workers: what it opens then is shared by all of them."
    preload = plan.server.preload
    return [
        ("module", WSGI_OBJECT, "The app in Carboy's wrapper, which CARBOY_APP names."),
        ("need-app", "true", "Without it uWSGI serves errors when the import has failed."),
        ("lazy-apps", "false" if preload else "true", early if preload else lazy),
        ("single-interpreter", "true", "One app: C extensions do not all work in a second interpreter."),
    ]


def _workers(plan: Plan, numbers: Size) -> Iterator[Line]:
    server = plan.server
    yield "master", "true", "Replaces workers that die, and stops them in order."
    yield "processes", str(numbers.workers), f"{numbers.reason[0].upper()}{numbers.reason[1:]}."
    yield "threads", str(numbers.threads), "Requests that one worker serves at once."
    yield "enable-threads", "true", "Threads that the app itself starts do not run otherwise."
    yield "thunder-lock", "true", "One worker at a time asks for a connection, instead of all waking up for each."
    yield "harakiri", str(server.timeout), "A worker in which one request takes so many seconds is replaced."
    if server.max_requests:
        yield "max-requests", str(server.max_requests), "Requests after which a worker is replaced."
    if server.max_requests and server.max_requests_jitter:
        delta = str(max(1, server.max_requests_jitter // numbers.workers))
        yield "max-requests-delta", delta, "More for each further worker, so that they do not go together."


def _stopping(plan: Plan) -> list[Line]:
    mercy = str(plan.server.graceful_timeout)
    hook = "unix_signal:15 gracefully_kill_them_all"
    return [
        ("hook-master-start", hook, "SIGTERM lets running requests end; die-on-term alone would cut them off."),
        ("worker-reload-mercy", mercy, "Seconds that running requests get for it."),
        ("reload-mercy", mercy, "The same for the whole."),
    ]


def _limits(plan: Plan) -> list[Line]:
    server = plan.server
    size = min(_LARGEST_BUFFER, server.limit_request_line + 2 * server.limit_request_field_size + 8192)
    return [
        ("buffer-size", str(size), "Bytes of the request line and all headers; 4096 by default, too few for cookies."),
        ("socket-timeout", str(max(server.keepalive, 30)), "Seconds a client may be silent; uWSGI's 4 cut slow ones."),
        ("ignore-sigpipe", "true", "A client that goes away is no error:"),
        ("ignore-write-errors", "true", "neither in the log"),
        ("disable-write-exception", "true", "nor in the app."),
    ]


def _logs() -> list[Line]:
    return [
        ("disable-logging", "true", "Carboy's wrapper writes one line for each request, the same under every server."),
        ("log-master", "false", "Errors and what the app prints go to stderr as they are."),
    ]


def _process(plan: Plan, stats: str | None) -> Iterator[Line]:
    yield "strict", "true", "A setting that this uWSGI does not know is an error."
    yield "vacuum", "true", "Sockets are removed at the end."
    yield "umask", f"{int(plan.server.umask, 8):03o}", "Permissions taken away from files that the app makes."
    yield "auto-procname", "true", "Workers and master can be told apart in ps:"
    yield "procname-prefix-spaced", f"carboy:{plan.app.name or 'app'}", "and belong to this project."
    if stats:
        yield "stats", stats, "Numbers of the workers, on a socket that only this user can open."
