"""Calls of WSGI and ASGI apps, without a server."""

import asyncio
import io
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_carboy.settings import Settings, read

Environ = dict[str, Any]
Message = MutableMapping[str, Any]


def settings(**variables: str) -> Settings:
    """The settings of a process with these variables: `trusted_hops="1"` is CARBOY_TRUSTED_HOPS=1."""
    return read({f"CARBOY_{name.upper()}": value for name, value in variables.items()})


@dataclass
class Answer:
    """What a client would see."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name.lower()]


def environ(path: str = "/", headers: Mapping[str, str] | None = None, **other: Any) -> Environ:
    """A WSGI environ of a request that came over loopback."""
    sent = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in (headers or {}).items()}
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **sent,
        **other,
    }


def call(app: Callable[..., Iterable[bytes]], request: Environ) -> Answer:
    """Call a WSGI app as a server does."""
    answer = Answer()

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        answer.status = int(status[:3])
        answer.headers = list(headers)
        return lambda data: None

    response = app(request, start)
    answer.body = b"".join(response)
    close = getattr(response, "close", None)
    if close is not None:
        close()
    return answer


@dataclass
class Connection:
    """The server's side of one ASGI request: `incoming` is received, then a disconnect when `leaves` is set."""

    incoming: Sequence[Message] = field(default_factory=lambda: [{"type": "http.request", "body": b""}])
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Message] = field(default_factory=list)
    received: int = 0

    async def receive(self) -> Message:
        if self.received < len(self.incoming):
            self.received += 1
            return self.incoming[self.received - 1]
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def answer(self) -> Answer:
        start = next(message for message in self.sent if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in self.sent if message["type"] == "http.response.body")
        headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return Answer(start["status"], headers, body)


def scope(path: str = "/", headers: Iterable[tuple[bytes, bytes]] = (), **other: Any) -> dict[str, Any]:
    """An ASGI scope of a request that came over loopback."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000"), *headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        **other,
    }


def ask(app: Callable[..., Any], request: dict[str, Any], connection: Connection | None = None) -> Answer:
    """Call an ASGI app as a server does."""

    async def run() -> Answer:
        # Made inside the loop: before Python 3.10 an Event belongs to the loop it is made in.
        there = connection or Connection()
        await asyncio.wait_for(app(request, there.receive, there.send), 20)
        return there.answer()

    return asyncio.run(run())
