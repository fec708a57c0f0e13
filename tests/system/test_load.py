"""The load harness counts what it says it counts."""

import asyncio
from collections.abc import Callable

import pytest

from tests.system.load import Load, Tally, run_async

pytestmark = [pytest.mark.system, pytest.mark.requirement("S1")]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ACCEPTED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
ERROR = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello"

Answer = Callable[[int, int], bytes | None]


async def ask(answer: Answer, connections: int = 8, until: int = 5000) -> tuple[Tally, int]:
    """Serve `answer(number of the request, its number on the connection)`; None closes without a word."""
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        on_this = 0
        while True:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            served, on_this = served + 1, on_this + 1
            response = answer(served, on_this)
            if response is not None:
                writer.write(response)
            if response is None or response is CUT:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        load = Load(port, connections=connections, seconds=20, expect=b"hello", stop_when=lambda: served >= until)
        return await run_async(load), served


def test_every_answered_request_is_counted_once() -> None:
    """A server without a fault gets a clean bill, and no request more or less than it served."""
    for response in (OK, ACCEPTED):
        tally, served = asyncio.run(ask(lambda number, on_this, response=response: response))  # type: ignore[misc]
        assert (tally.ok, tally.faults, tally.repeated) == (served, 0, 0)


def test_one_dropped_request_in_a_thousand_is_caught() -> None:
    """A server that closes every thousandth request without a word is seen doing it, each time."""
    tally, served = asyncio.run(ask(lambda number, on_this: None if number % 1000 == 0 else OK))
    assert tally.repeated + tally.lost == served // 1000 >= 5
    assert tally.ok == served - served // 1000


def test_a_drop_on_a_new_connection_is_a_lost_request() -> None:
    """Only a used connection may be closed under a request: RFC 9112 9.3.1 excuses no other."""
    tally, served = asyncio.run(ask(lambda number, on_this: None if number % 1000 == 0 else OK, 1, 2001))
    assert (tally.lost, tally.repeated) == (0, 2)
    always, served = asyncio.run(ask(lambda number, on_this: None, 1, 10))
    assert (always.lost, always.repeated) == (10, 0)
    assert served == 10


def test_a_response_that_breaks_off_is_a_reset_and_an_error_is_an_error() -> None:
    """Half a response and a 503 are told apart from success."""
    cut, served = asyncio.run(ask(lambda number, on_this: CUT if number % 100 == 0 else OK, until=1000))
    assert cut.reset == served // 100
    failing, served = asyncio.run(ask(lambda number, on_this: ERROR if number % 100 == 0 else OK, until=1000))
    assert failing.failed == served // 100


def test_another_body_is_not_a_success() -> None:
    """A 200 with what another request asked for is counted as wrong."""
    other = OK.replace(b"hello", b"other")
    tally, served = asyncio.run(ask(lambda number, on_this: other, until=100))
    assert (tally.ok, tally.wrong) == (0, served)


def test_nobody_there_is_refused() -> None:
    """A port without a server counts as refused."""

    async def nobody() -> Tally:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await run_async(Load(port, connections=1, seconds=0.1))

    assert asyncio.run(nobody()).refused > 0
