"""Waitress with a graceful stop: `python -m flask_carboy.waitress --host 127.0.0.1 --port 8000`.

Waitress' own command dies at SIGTERM with the requests it was answering.
"""

import argparse
import os
import select
import signal
import socket
import sys
import time
from types import FrameType
from typing import Any, Dict, List, Optional, Sequence

from flask_carboy.drain import DRAIN, Drain
from flask_carboy.errors import StartFault, say
from flask_carboy.settings import read

# What a client that has just connected gets to send its request, when the stop comes in between.
GRACE_FOR_NEWCOMERS = 0.5


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 when every request was answered, 1 when some were cut off at the deadline."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("CARBOY_INTERFACE", "wsgi")
    try:
        from flask_carboy.serve import application
    except StartFault as fault:
        _show_cause(fault)
        return 1
    return Runner(application, options, DRAIN).run()


def _show_cause(fault: StartFault) -> None:
    # The sentence itself has been said; what led to it has not.
    if fault.__cause__ is not None:
        import traceback

        traceback.print_exception(type(fault.__cause__), fault.__cause__, fault.__cause__.__traceback__)


def _parser() -> argparse.ArgumentParser:
    settings = read(os.environ)
    parser = argparse.ArgumentParser(prog="python -m flask_carboy.waitress", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8000)
    add("--unix-socket", help="listen there instead of host and port")
    add("--unix-socket-perms", default="600", help="octal")
    add("--threads", type=int, default=settings.threads)
    add("--graceful-timeout", type=float, default=settings.graceful_timeout, help="seconds for running requests")
    add("--backlog", type=int, default=1024)
    add("--connection-limit", type=int, default=1000)
    add("--channel-timeout", type=int, default=120, help="seconds an idle connection is kept")
    add("--max-request-header-size", type=int, default=262144)
    add("--max-request-body-size", type=int, default=1073741824)
    return parser


class Runner:
    """Waitress' server and loop, with an end."""

    def __init__(self, application: Any, options: argparse.Namespace, drain: Drain) -> None:
        from waitress import create_server  # type: ignore[import-not-found,import-untyped,unused-ignore]

        self._options = options
        self._drain = drain
        self._map: Dict[int, Any] = {}
        self._server = create_server(application, map=self._map, **_settings(options))
        _teach_to_close(self._listeners(), drain)

    def _listeners(self) -> List[Any]:
        from waitress.server import BaseWSGIServer  # type: ignore[import-not-found,import-untyped,unused-ignore]

        return [item for item in self._map.values() if isinstance(item, BaseWSGIServer)]

    def run(self) -> int:
        """Serve, then drain; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        where = self._options.unix_socket or f"{self._options.host}:{self._options.port}"
        say(f"waitress serves on {where} with {self._options.threads} threads")
        while not self._drain.active:
            self._turn(1.0)
        return self._finish()

    def _stop(self, _number: int, _frame: Optional[FrameType]) -> None:
        self._drain.begin()
        for listener in self._listeners():
            listener.pull_trigger()  # wakes the loop

    def _turn(self, timeout: float) -> None:
        from waitress import wasyncore  # type: ignore[import-not-found,import-untyped,unused-ignore]

        wasyncore.loop(timeout=timeout, map=self._map, use_poll=hasattr(select, "poll"), count=1)

    def _finish(self) -> int:
        listeners = self._listeners()
        began = time.monotonic()
        _accept_the_waiting(listeners)
        for listener in listeners:
            _stop_listening(listener)
        while time.monotonic() - began < self._options.graceful_timeout:
            young = time.monotonic() - began < GRACE_FOR_NEWCOMERS
            for channel in _channels(listeners):
                if _idle(channel) and not (young and not channel.carboy_served):
                    channel.will_close = True
            if not _channels(listeners):
                return 0
            self._turn(0.1)
        left = sum(1 for channel in _channels(listeners) if not _idle(channel))
        if left:
            say(f"{left} requests were cut off after {self._options.graceful_timeout:g} seconds")
        return 1 if left else 0


def _settings(options: argparse.Namespace) -> Dict[str, Any]:
    where: Dict[str, Any] = {"host": options.host, "port": options.port}
    if options.unix_socket:
        where = {"unix_socket": options.unix_socket, "unix_socket_perms": options.unix_socket_perms}
    return {
        **where,
        "threads": options.threads,
        "backlog": options.backlog,
        "connection_limit": options.connection_limit,
        "channel_timeout": options.channel_timeout,
        "max_request_header_size": options.max_request_header_size,
        "max_request_body_size": options.max_request_body_size,
        # The wrapper decides which forwarding headers are believed.
        "clear_untrusted_proxy_headers": False,
        "ident": None,
    }


def _teach_to_close(listeners: List[Any], drain: Drain) -> None:
    """Let responses say "Connection: close" while draining, and channels remember that they have served."""
    from waitress.channel import HTTPChannel  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from waitress.task import WSGITask  # type: ignore[import-not-found,import-untyped,unused-ignore]

    class Task(WSGITask):  # type: ignore[misc,unused-ignore]
        def build_response_header(self) -> bytes:
            self.channel.carboy_served = True
            if drain.active:
                self.request.headers["CONNECTION"] = "close"
            header: bytes = super().build_response_header()
            return header

    class Channel(HTTPChannel):  # type: ignore[misc,unused-ignore]
        task_class = Task
        carboy_served = False

    for listener in listeners:
        listener.channel_class = Channel


def _accept_the_waiting(listeners: List[Any]) -> None:
    # Connections that the kernel has taken already would be reset when the socket is closed.
    for listener in listeners:
        before = -1
        while before != len(listener.active_channels):
            before = len(listener.active_channels)
            listener.handle_accept()


def _stop_listening(listener: Any) -> None:
    listener.del_channel()
    listener.socket.close()


def _channels(listeners: List[Any]) -> List[Any]:
    return [channel for listener in listeners for channel in list(listener.active_channels.values())]


def _idle(channel: Any) -> bool:
    if channel.requests or channel.request is not None or channel.total_outbufs_len:
        return False
    try:
        return not channel.socket.recv(1, socket.MSG_PEEK)  # a request that has come and is not read yet
    except OSError:
        return True


if __name__ == "__main__":
    sys.exit(main())
