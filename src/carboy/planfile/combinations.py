"""Values that are right each by itself and impossible together, with the reason."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from carboy.model.plan import Plan
from carboy.planfile.keys import Path

_KIND: Final = ("server", "kind")
_CLASS: Final = ("server", "worker_class")
_WORKERS: Final = ("server", "workers")
_THREADS: Final = ("server", "threads")
_INTERFACE: Final = ("app", "interface")
_ASYNC: Final = ("app", "async_views")
_ASGI_CLASSES: Final = ("uvicorn", "asgi")
_GREEN: Final = ("gevent", "eventlet")


@dataclass(frozen=True, slots=True)
class Clash:
    """Keys that do not go together; the first is the one to name."""

    keys: tuple[Path, ...]
    what: str
    hint: str


def clashes(plan: Plan) -> list[Clash]:
    """Every impossible combination in `plan`."""
    return [clash for rule in _RULES for clash in rule(plan)]


def _ref_and_command(plan: Plan) -> Iterator[Clash]:
    if plan.app.ref is not None and plan.app.command is not None:
        yield Clash(
            (("app", "command"), ("app", "ref")),
            "both an object to import and a command are given, and only one can be served",
            "keep app.ref, or app.command where there is nothing to import",
        )


def _asgi_object(plan: Plan) -> Iterator[Clash]:
    server = plan.server
    if plan.app.interface != "asgi" or plan.app.command is not None or server.kind in ("uvicorn", "granian"):
        return
    if server.kind != "gunicorn":
        yield Clash(
            (_KIND, _INTERFACE),
            f"{server.kind} serves WSGI only, and the app is an ASGI object",
            'set server.kind = "uvicorn", or "granian"',
        )
    elif server.worker_class not in _ASGI_CLASSES:
        yield Clash(
            (_CLASS, _KIND, _INTERFACE),
            f"Gunicorn's {server.worker_class} worker serves WSGI only, and the app is an ASGI object",
            'set server.worker_class = "uvicorn", or server.kind = "uvicorn"',
        )


def _async_views_on_green_workers(plan: Plan) -> Iterator[Clash]:
    server = plan.server
    if plan.app.async_views and server.kind == "gunicorn" and server.worker_class in _GREEN:
        yield Clash(
            (_CLASS, _KIND, _ASYNC),
            f"the app has async views, and under {server.worker_class} nearly every answer is 500 "
            "(pallets/flask #5881)",
            'set server.kind = "uvicorn", or server.worker_class = "gthread"',
        )


def _worker_class_of_another_server(plan: Plan) -> Iterator[Clash]:
    server = plan.server
    if server.kind != "gunicorn" and server.worker_class != "gthread":
        yield Clash(
            (_CLASS, _KIND),
            f"worker classes are Gunicorn's, and {server.kind} has one way of its own",
            'leave it out, or set server.kind = "gunicorn"',
        )


def _threads_of_a_sync_worker(plan: Plan) -> Iterator[Clash]:
    server = plan.server
    if server.kind == "gunicorn" and server.worker_class == "sync" and server.threads not in ("auto", 1):
        yield Clash(
            (_THREADS, _CLASS, _KIND),
            "a sync worker has one thread; Gunicorn would silently use gthread instead",
            'set server.worker_class = "gthread"',
        )


def _waitress_workers(plan: Plan) -> Iterator[Clash]:
    if plan.server.kind == "waitress" and plan.server.workers not in ("auto", 1):
        yield Clash(
            (_WORKERS, _KIND), "Waitress is one process", "leave server.workers out and set server.threads instead"
        )


def _sticky_sessions(plan: Plan) -> Iterator[Clash]:
    if plan.app.websocket == "flask-socketio" and plan.server.workers not in ("auto", 1):
        yield Clash(
            (_WORKERS, ("app", "websocket")),
            "Socket.IO needs every request of a client in the same process, and workers share one port without "
            "stickiness: half the polls would be answered with 400",
            "set server.workers = 1 and raise server.threads",
        )


def _jitter(plan: Plan) -> Iterator[Clash]:
    if plan.server.max_requests_jitter > plan.server.max_requests:
        yield Clash(
            (("server", "max_requests_jitter"), ("server", "max_requests")),
            f"the spread is larger than server.max_requests ({plan.server.max_requests}) itself",
            "set server.max_requests to ten times the spread",
        )


def _health_routes(plan: Plan) -> Iterator[Clash]:
    if plan.health.live == plan.health.ready:
        yield Clash(
            (("health", "ready"), ("health", "live")),
            "alive and ready are asked on the same route, so that a draining process would be killed",
            "give them two routes",
        )


def _processes_that_run_once(plan: Plan) -> Iterator[Clash]:
    for name, process in plan.processes.items():
        if process.once and process.scale > 1:
            yield Clash(
                (("processes", name, "scale"), ("processes", name, "once")),
                f"this process runs once at the most, and scale asks for {process.scale}",
                "set scale = 1, or once = false",
            )


def _empty_commands(plan: Plan) -> Iterator[Clash]:
    for name, process in plan.processes.items():
        if not process.command.strip():
            yield Clash(
                (("processes", name, "command"),), "empty", "name what starts it, such as celery -A shop worker"
            )


_RULES: Final[tuple[Callable[[Plan], Iterator[Clash]], ...]] = (
    _ref_and_command,
    _asgi_object,
    _async_views_on_green_workers,
    _worker_class_of_another_server,
    _threads_of_a_sync_worker,
    _waitress_workers,
    _sticky_sessions,
    _jitter,
    _health_routes,
    _processes_that_run_once,
    _empty_commands,
)
