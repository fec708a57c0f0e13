"""A small load: kept-alive connections that ask again and again, where every single request is accounted for.

What happened to a request is one of:

- ok: a whole response below 500, with the body that was expected;
- failed: a whole response of 500 or more; wrong: one with another body;
- reset: the connection was reset, or closed in the middle of a response;
- lost: a new connection was closed without one byte of a response;
- repeated: a used connection was closed without one byte, so the request was sent again on a new one. A server may do
  that to an idle connection at any moment, and RFC 9112 9.3.1 has the client repeat what is idempotent: no fault, but
  counted, and what happened to the repetition is counted as well;
- refused: no connection was to be had.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

RESPONSE_DEADLINE = 30.0
_NO_BODY = frozenset({204, 304})


@dataclass
class Tally:
    """What became of every request."""

    ok: int = 0
    failed: int = 0
    wrong: int = 0
    reset: int = 0
    lost: int = 0
    repeated: int = 0
    refused: int = 0
    seconds: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """Requests that a user would have seen fail."""
        return self.failed + self.wrong + self.reset + self.lost + self.refused

    @property
    def rate(self) -> float:
        return self.ok / self.seconds if self.seconds else 0.0

    def note(self, text: str) -> None:
        if len(self.examples) < 5:
            self.examples.append(text)


@dataclass(frozen=True)
class Load:
    """Where to, what, and how much. `stop_when` ends it early: asked before each request."""

    port: int
    path: str = "/"
    connections: int = 64
    seconds: float = 10.0
    headers: tuple[tuple[str, str], ...] = ()
    expect: bytes = b""
    stop_when: Callable[[], bool] = lambda: False

    @property
    def request(self) -> bytes:
        lines = [f"GET {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class _Connection:
    """One connection to the server; `used` once it has carried a response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.used = False


class _NoResponse(Exception):
    """The connection ended; `started` tells whether a part of the response had come."""

    def __init__(self, started: bool, reset: bool) -> None:
        super().__init__("connection ended")
        self.started = started
        self.reset = reset


def run(load: Load) -> Tally:
    """Put the load on the server, and say what became of every request."""
    return asyncio.run(run_async(load))


async def run_async(load: Load) -> Tally:
    """The same inside a running loop."""
    tally = Tally()
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(load.connections):
            group.create_task(_client(load, tally, began + load.seconds))
    tally.seconds = time.monotonic() - began
    return tally


async def _client(load: Load, tally: Tally, deadline: float) -> None:
    connection: _Connection | None = None
    while time.monotonic() < deadline and not load.stop_when():
        connection = await _one(load, tally, connection)
        if connection is None and tally.refused and load.stop_when():
            break
    await _close(connection)


async def _one(load: Load, tally: Tally, connection: _Connection | None) -> _Connection | None:
    """One request and its repetition; the connection to go on with."""
    if connection is None:
        try:
            connection = await _connect(load.port)
        except OSError as fault:
            tally.refused += 1
            tally.note(f"refused: {fault}")
            await asyncio.sleep(0.01)  # a server that is gone must not be asked in a tight loop
            return None
    try:
        status, body, keep = await asyncio.wait_for(_exchange(connection, load.request), RESPONSE_DEADLINE)
    except _NoResponse as end:
        again = connection.used and not end.started
        _count_end(tally, end, again)
        await _close(connection)
        return await _one(load, tally, None) if again else None
    except TimeoutError:
        tally.lost += 1
        tally.note(f"no response within {RESPONSE_DEADLINE:g} s")
        await _close(connection)
        return None
    _count(load, tally, status, body)
    if keep:
        return connection
    await _close(connection)
    return None


def _count(load: Load, tally: Tally, status: int, body: bytes) -> None:
    if status >= 500:
        tally.failed += 1
        tally.note(f"{status}: {body[:200]!r}")
    elif load.expect not in body:
        tally.wrong += 1
        tally.note(f"{status}: {body[:200]!r}")
    else:
        tally.ok += 1


def _count_end(tally: Tally, end: _NoResponse, again: bool) -> None:
    if again:
        tally.repeated += 1
    elif end.started or end.reset:
        tally.reset += 1
        tally.note("reset in a response" if end.started else "reset before the response")
    else:
        tally.lost += 1
        tally.note("closed without a response")


async def _connect(port: int) -> _Connection:
    return _Connection(*await asyncio.open_connection("127.0.0.1", port))


async def _close(connection: _Connection | None) -> None:
    if connection is not None:
        connection.writer.close()
        with suppress(OSError):  # the other side was first
            await connection.writer.wait_closed()


async def _exchange(connection: _Connection, request: bytes) -> tuple[int, bytes, bool]:
    """Send a request and read its response: status, body, and whether the connection stays."""
    started = False
    try:
        connection.writer.write(request)
        first = await connection.reader.readexactly(1)
        started = True
        head = first + await connection.reader.readuntil(b"\r\n\r\n")
        status, headers = _parse(head)
        body, framed = await _body(connection.reader, status, headers)
    except asyncio.IncompleteReadError as end:
        raise _NoResponse(started or bool(end.partial), reset=False) from end
    except OSError as end:
        raise _NoResponse(started, reset=True) from end
    connection.used = True
    close = headers.get(b"connection", b"").lower() == b"close" or head.startswith(b"HTTP/1.0")
    return status, body, framed and not close


def _parse(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    headers = dict(line.lower().split(b":", 1) for line in lines)
    return int(first.split(b" ", 2)[1]), {name: value.strip() for name, value in headers.items()}


async def _body(reader: asyncio.StreamReader, status: int, headers: dict[bytes, bytes]) -> tuple[bytes, bool]:
    """The body, and whether its end was told by anything but the end of the connection."""
    if status in _NO_BODY:
        return b"", True
    if headers.get(b"transfer-encoding") == b"chunked":
        return b"".join([chunk async for chunk in _chunks(reader)]), True
    if b"content-length" in headers:
        return await reader.readexactly(int(headers[b"content-length"])), True
    return await reader.read(), False


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        chunk = await reader.readexactly(size + 2)
        yield chunk[:-2]
    await reader.readuntil(b"\r\n")


@asynccontextmanager
async def running(load: Load) -> AsyncIterator[asyncio.Task[Tally]]:
    """Have the load run beside the body of the `async with`."""
    task = asyncio.create_task(run_async(load))
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):  # we cancelled it ourselves
                await task
