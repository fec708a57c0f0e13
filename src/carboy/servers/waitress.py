"""Waitress, through the wrapper's runner: its own command dies at SIGTERM with the requests it was answering."""

from collections.abc import Collection, Iterator

from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.servers.sizing import Size
from carboy.servers.variables import common
from carboy.servers.versions import requirement


def launch(plan: Plan, numbers: Size, listen: Listen, paths: Paths) -> Launch:
    """Start the runner with its settings on the command line; Waitress has no configuration file."""
    return Launch(
        argv=(f"{paths.bin}/python", "-m", "flask_carboy.waitress", *_arguments(plan, numbers, listen)),
        variables=common(plan, numbers),
        workers=1,
        notes=(numbers.reason,),
    )


def requirements(_plan: Plan, python_version: str | None, _installed: Collection[str] | None) -> tuple[str, ...]:
    """Return Waitress."""
    return (requirement("waitress", python_version),)


def _arguments(plan: Plan, numbers: Size, listen: Listen) -> Iterator[str]:
    server = plan.server
    if listen.socket is not None:
        yield from ("--unix-socket", listen.socket)
    else:
        yield from ("--host", listen.host, "--port", str(listen.port))
    headers = server.limit_request_line + server.limit_request_fields * server.limit_request_field_size
    yield from ("--threads", str(numbers.threads))
    yield from ("--graceful-timeout", str(server.graceful_timeout))
    yield from ("--backlog", str(numbers.backlog))
    yield from ("--connection-limit", str(server.worker_connections))
    # 0 would close a connection before its first request.
    yield from ("--channel-timeout", str(max(1, server.keepalive)))
    yield from ("--max-request-header-size", str(min(headers, 262144)))
