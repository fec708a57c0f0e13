"""What cannot work together, with the reason and the way out."""

from collections.abc import Callable
from typing import Final

from carboy.errors import UsageFault
from carboy.model.host import Host
from carboy.model.plan import Plan
from carboy.servers.versions import older_than

GREEN: Final = frozenset({"gevent", "eventlet"})
ASYNC: Final = frozenset({"uvicorn", "asgi"})
CLASSES: Final = frozenset({"sync", "gthread"}) | GREEN | ASYNC


def refuse(plan: Plan, host: Host) -> None:
    """Raise the first fault that makes this plan unfit for its server, or return."""
    for rule in _RULES:
        rule(plan, host)


def refuse_python(plan: Plan, python_version: str | None) -> None:
    """Raise where the server, or its version for this Python, is unfit; an unknown version is taken for a new one."""
    server = plan.server
    if server.kind == "gunicorn" and server.worker_class == "asgi" and older_than(python_version, "3.10"):
        raise UsageFault(
            f"Gunicorn's own ASGI worker needs Python 3.10, and this app has {python_version}",
            where="server.worker_class",
            hint="use uvicorn",
        )
    if server.kind == "granian" and older_than(python_version, "3.9"):
        raise UsageFault(
            f"Granian 1.6, the last for Python {python_version}, drops running requests when it is stopped",
            where="server.kind",
            hint="use gunicorn",
        )


def runs_asgi(plan: Plan) -> bool:
    """Tell whether the server speaks ASGI to the app (Granian speaks what the app speaks)."""
    server = plan.server
    if server.kind == "gunicorn":
        return server.worker_class in ASYNC
    return server.kind == "uvicorn" or (server.kind == "granian" and plan.app.interface == "asgi")


def _unknown_worker(plan: Plan, _host: Host) -> None:
    chosen: str = plan.server.worker_class
    if plan.server.kind != "gunicorn" or chosen in CLASSES:
        return
    if "aiohttp" in chosen:
        raise UsageFault(
            "aiohttp's worker serves aiohttp applications only; Flask speaks WSGI, which it does not",
            where="server.worker_class",
            hint="use gthread, or uvicorn where the views are coroutines",
        )
    raise UsageFault(f"no such worker class: {chosen}", where="server.worker_class", hint=", ".join(sorted(CLASSES)))


def _async_views_on_green(plan: Plan, _host: Host) -> None:
    if plan.app.async_views and plan.server.kind == "gunicorn" and plan.server.worker_class in GREEN:
        raise UsageFault(
            f"async views cannot be served by {plan.server.worker_class} workers: each view starts an event loop in "
            "a thread that is shared by all green requests, and nearly every answer is 500 (pallets/flask #5881)",
            where="server.worker_class",
            hint="use gthread or uvicorn",
        )


def _asgi_on_wsgi(plan: Plan, _host: Host) -> None:
    if plan.app.interface == "asgi" and not runs_asgi(plan):
        name = plan.server.worker_class if plan.server.kind == "gunicorn" else plan.server.kind
        raise UsageFault(
            f"an ASGI app cannot be served by {name}, which speaks WSGI only",
            where="server.worker_class" if plan.server.kind == "gunicorn" else "server.kind",
            hint="use uvicorn, granian, or Gunicorn with worker_class uvicorn or asgi",
        )


def _not_on_windows(plan: Plan, host: Host) -> None:
    if host.system == "windows" and plan.server.kind in {"gunicorn", "uwsgi"}:
        raise UsageFault(
            f"{plan.server.kind} needs fork, which Windows does not have", where="server.kind", hint="use waitress"
        )


_RULES: Final[tuple[Callable[[Plan, Host], None], ...]] = (
    _unknown_worker,
    _async_views_on_green,
    _asgi_on_wsgi,
    _not_on_windows,
)
