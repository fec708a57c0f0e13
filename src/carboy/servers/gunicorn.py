"""Gunicorn: a commented gunicorn.conf.py, for its own worker classes and Uvicorn's."""

from collections.abc import Collection, Iterator
from typing import Final

from carboy.model.artifact import Artifact
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.servers.base import ASGI_OBJECT, WSGI_OBJECT
from carboy.servers.combinations import ASYNC
from carboy.servers.gunicorn_config import config
from carboy.servers.sizing import Size
from carboy.servers.variables import common
from carboy.servers.versions import requirement

CONFIG: Final = "gunicorn.conf.py"
_PSYCOPG2: Final = frozenset({"psycopg2", "psycopg2-binary"})
_HELD: Final = "Gunicorn is held below 26, because 26.0 removed the eventlet worker"
_NOT_REPLACED: Final = "max_requests is left out: an eventlet worker that is replaced resets connections"


def launch(plan: Plan, numbers: Size, listen: Listen, paths: Paths) -> Launch:
    """Start Gunicorn's program with our file; nothing else is read from the command line."""
    target = ASGI_OBJECT if plan.server.worker_class in ASYNC else WSGI_OBJECT
    return Launch(
        argv=(f"{paths.bin}/gunicorn", "--config", f"{paths.artifacts}/{CONFIG}", target),
        artifacts=(Artifact(CONFIG, config(plan, numbers, listen)),),
        # Left over from a Dockerfile or a .env, this variable would overrule the file.
        variables={**common(plan, numbers), "GUNICORN_CMD_ARGS": ""},
        workers=numbers.workers,
        notes=(numbers.reason, *_notes(plan)),
    )


def _notes(plan: Plan) -> Iterator[str]:
    if plan.server.worker_class == "eventlet":
        yield _HELD
        if plan.server.max_requests:
            yield _NOT_REPLACED


def requirements(plan: Plan, python_version: str | None, installed: Collection[str] | None) -> tuple[str, ...]:
    """Return Gunicorn in a version that has the worker class, and what that class needs."""
    gunicorn = requirement("gunicorn", python_version)
    match plan.server.worker_class:
        case "gevent":
            own = requirement("gunicorn", python_version, "gevent"), requirement("gevent", python_version)
            return own + _psycogreen(installed)
        case "eventlet":
            return (f"{gunicorn},<26", requirement("eventlet", python_version), *_psycogreen(installed))
        case "uvicorn":
            return (gunicorn, requirement("uvicorn-worker", python_version), requirement("uvicorn", python_version))
        case _:
            return (gunicorn,)


def _psycogreen(installed: Collection[str] | None) -> tuple[str, ...]:
    wanted = installed is None or not _PSYCOPG2.isdisjoint(installed)
    return ("psycogreen>=1.0.2",) if wanted else ()
