"""Granian, the server in Rust: it speaks to the app what the app speaks."""

import json
from collections.abc import Collection, Iterator
from typing import Final

from carboy.model.artifact import Artifact
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.servers.base import ASGI_OBJECT, WSGI_OBJECT
from carboy.servers.sizing import Size
from carboy.servers.variables import common
from carboy.servers.versions import requirement

LOG_CONFIG: Final = "granian-logging.json"
_LEAST_BACKLOG: Final = 128  # Granian refuses less
_MOST_KILL_TIMEOUT: Final = 1800  # and more than this


def launch(plan: Plan, numbers: Size, listen: Listen, paths: Paths) -> Launch:
    """Start Granian with its settings on the command line; only its logging comes from a file."""
    target = ASGI_OBJECT if plan.app.interface == "asgi" else WSGI_OBJECT
    arguments = _arguments(plan, numbers, listen)
    return Launch(
        argv=(f"{paths.bin}/granian", *arguments, "--log-config", f"{paths.artifacts}/{LOG_CONFIG}", target),
        artifacts=(Artifact(LOG_CONFIG, _logging()),),
        variables=common(plan, numbers),
        workers=numbers.workers,
        notes=(numbers.reason,),
    )


def requirements(_plan: Plan, python_version: str | None, _installed: Collection[str] | None) -> tuple[str, ...]:
    """Return Granian."""
    return (requirement("granian", python_version),)


def _arguments(plan: Plan, numbers: Size, listen: Listen) -> Iterator[str]:
    server = plan.server
    yield from _address(listen)
    yield from ("--interface", plan.app.interface, "--http", "1")
    yield from ("--workers", str(numbers.workers))
    if plan.app.interface == "wsgi":
        yield from ("--blocking-threads", str(numbers.threads))
    yield from ("--backlog", str(max(_LEAST_BACKLOG, numbers.backlog)))
    if server.keepalive == 0:
        yield "--no-http1-keep-alive"
    # A worker that dies takes the whole server with it otherwise.
    yield "--respawn-failed-workers"
    # A kept-alive connection that stays busy would hold the stop up without an end (Granian #548).
    yield from ("--workers-kill-timeout", str(min(server.graceful_timeout, _MOST_KILL_TIMEOUT)))
    # The wrapper writes the access log, the same under every server.
    yield "--no-access-log"


def _address(listen: Listen) -> Iterator[str]:
    if listen.socket is not None:
        yield from ("--uds", listen.socket)
    else:
        yield from ("--host", listen.host, "--port", str(listen.port))


def _logging() -> str:
    """Return logging to stderr: what is not the app's answer does not belong on stdout."""
    console = {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}
    loggers = {"_granian": {"handlers": ["console"], "level": "INFO", "propagate": False}}
    content = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"generic": {"format": "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"}},
        "handlers": {"console": console},
        "loggers": loggers,
    }
    return json.dumps(content, indent=2) + "\n"
