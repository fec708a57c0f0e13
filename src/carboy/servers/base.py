"""The table of servers: a Plan becomes a Launch, and only the chosen server's module is imported."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol, cast

from carboy.errors import UsageFault
from carboy.model.host import Host
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan, ServerKind
from carboy.servers.combinations import refuse, refuse_python
from carboy.servers.sizing import Size, size

WSGI_OBJECT: Final = "flask_carboy.serve:application"
ASGI_OBJECT: Final = "flask_carboy.serve:asgi"

SERVERS: Final[Mapping[ServerKind, str]] = MappingProxyType(
    {
        "gunicorn": "carboy.servers.gunicorn",
        "uwsgi": "carboy.servers.uwsgi",
        "waitress": "carboy.servers.waitress",
        "uvicorn": "carboy.servers.uvicorn",
        "granian": "carboy.servers.granian",
    }
)


class Server(Protocol):
    """What each server's module gives."""

    def launch(self, plan: Plan, numbers: Size, listen: Listen, paths: Paths) -> Launch:
        """Say how the server is started with these numbers."""

    def requirements(
        self, plan: Plan, python_version: str | None, installed: Collection[str] | None
    ) -> tuple[str, ...]:
        """Name what must be installed beside the app."""


def launch(plan: Plan, host: Host, listen: Listen, paths: Paths) -> Launch:
    """Say how the plan's server is started on this host; pure: the same arguments give the same bytes."""
    if plan.app.ref is None:
        raise UsageFault(
            "there is nothing to import, so no server of ours can serve it",
            where="app.ref",
            hint="name the app object as module:attribute, or start the app by its own app.command",
        )
    refuse(plan, host)
    launched = _server(plan).launch(plan, size(plan, host), listen, paths)
    return replace(launched, requirements=requirements(plan, plan.app.python))


def requirements(plan: Plan, python_version: str | None, installed: Collection[str] | None = None) -> tuple[str, ...]:
    """Name what must be pip-installed beside the app, for the Python version of its environment.

    `installed` are the normalised names of the packages that the app brings; None where that is not known.
    """
    refuse_python(plan, python_version)
    return _server(plan).requirements(plan, python_version, installed)


def _server(plan: Plan) -> Server:
    return cast(Server, import_module(SERVERS[plan.server.kind]))
