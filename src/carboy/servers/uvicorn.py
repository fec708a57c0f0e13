"""Uvicorn, for ASGI apps and for WSGI apps by way of the wrapper's bridge."""

from collections.abc import Collection, Iterator
from typing import Final

from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.servers.base import ASGI_OBJECT
from carboy.servers.sizing import Size
from carboy.servers.variables import common
from carboy.servers.versions import older_than, requirement

_LONGEST_HEALTHCHECK: Final = 15
_ALONE: Final = "max_requests is left out: Uvicorn with one worker has nobody who would start it again"


def launch(plan: Plan, numbers: Size, listen: Listen, paths: Paths) -> Launch:
    """Start Uvicorn with its settings on the command line; it has no configuration file.

    Not set on purpose: `--limit-concurrency`, because it answers 503 where the backlog would let the client wait.
    """
    alone = plan.server.max_requests > 0 and numbers.workers == 1
    return Launch(
        argv=(f"{paths.bin}/uvicorn", *_arguments(plan, numbers, listen), ASGI_OBJECT),
        variables=common(plan, numbers),
        workers=numbers.workers,
        notes=(numbers.reason, *((_ALONE,) if alone else ())),
    )


def requirements(_plan: Plan, python_version: str | None, _installed: Collection[str] | None) -> tuple[str, ...]:
    """Return Uvicorn; its faster parts (uvloop, httptools) need a compiler where they have no wheel."""
    return (requirement("uvicorn", python_version),)


def _arguments(plan: Plan, numbers: Size, listen: Listen) -> Iterator[str]:
    server = plan.server
    if listen.socket is not None:
        yield from ("--uds", listen.socket)
    else:
        yield from ("--host", listen.host, "--port", str(listen.port))
    yield from ("--workers", str(numbers.workers))
    yield from ("--backlog", str(numbers.backlog))
    yield from ("--timeout-keep-alive", str(server.keepalive))
    # Without it Uvicorn waits for running requests without an end.
    yield from ("--timeout-graceful-shutdown", str(server.graceful_timeout))
    if not older_than(plan.app.python, "3.9"):
        # The supervisor's own 5 seconds kill a worker that computes in C for longer. Much more would be worse: it waits
        # so long for the answer of a worker that has just ended, and starts no other meanwhile.
        yield from ("--timeout-worker-healthcheck", str(min(server.timeout, _LONGEST_HEALTHCHECK)))
    yield from _replacing(plan, numbers)
    # The wrapper believes the configured proxies, and writes the access log.
    yield from ("--no-proxy-headers", "--no-access-log", "--no-server-header", "--no-use-colors")


def _replacing(plan: Plan, numbers: Size) -> Iterator[str]:
    server = plan.server
    if not server.max_requests or numbers.workers == 1:
        return
    yield from ("--limit-max-requests", str(server.max_requests))
    if server.max_requests_jitter and not older_than(plan.app.python, "3.10"):
        yield from ("--limit-max-requests-jitter", str(server.max_requests_jitter))
