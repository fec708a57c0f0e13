"""A WSGI app behind an ASGI server."""

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask, request
from flask_carboy.bridge import Bridge
from flask_carboy.wrap import wrap_asgi
from werkzeug.exceptions import ClientDisconnected

from tests.unit.flask_carboy.wsgi_calls import Answer, Connection, Message, ask, scope, settings

pytestmark = pytest.mark.requirement("S4")

Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


class Closing:
    """An iterable that remembers how far it came and that it was closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = iter(chunks)
        self.given = 0
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.given += 1
            yield chunk

    def close(self) -> None:
        self.closed.set()


def app_of(body: Iterable[bytes], *headers: tuple[str, str], status: str = "200 OK") -> Wsgi:
    def app(_environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start(status, list(headers))
        return body

    return app


def environ_of(request_scope: dict[str, Any]) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        seen.update(environ)
        start("204 No Content", [])
        return []

    ask(Bridge(app, 2), request_scope)
    return seen


def test_a_whole_response_is_sent_at_once() -> None:
    """A response whose first piece fills its Content-Length takes two messages, and its iterable is closed."""
    body = Closing([b"hello"])
    there = Connection()
    answer = ask(Bridge(app_of(body, ("Content-Length", "5"), ("X-A", "1")), 2), scope(), there)
    assert answer == Answer(200, [("content-length", "5"), ("x-a", "1")], b"hello")
    assert len(there.sent) == 2
    assert body.closed.is_set()


def test_a_stream_is_sent_piece_by_piece() -> None:
    """Without a length, each piece is sent when the app gives it."""
    there = Connection()
    body = Closing([b"a", b"", b"b"])
    assert ask(Bridge(app_of(body), 2), scope(), there).body == b"ab"
    assert [message.get("more_body") for message in there.sent[1:]] == [True, True, False]


def test_a_list_gets_its_length() -> None:
    """A body that lies there whole is given a Content-Length."""
    assert ask(Bridge(app_of([b"ab", b"c"]), 2), scope()).values("content-length") == ["3"]


def test_a_slow_client_slows_the_app_down() -> None:
    """The app is asked for the next piece only when the server has taken the last one."""
    body = Closing(b"x" for _ in range(1000))
    most = 0

    class Slow(Connection):
        async def send(self, message: Message) -> None:
            nonlocal most
            await asyncio.sleep(0)
            self.sent.append(message)
            most = max(most, body.given - len(self.sent) + 1)

    ask(Bridge(app_of(body), 2), scope(), Slow())
    assert most <= 2


def test_the_length_that_was_declared_is_kept() -> None:
    """What goes beyond the Content-Length would be taken for the next response, and is cut off."""
    assert ask(Bridge(app_of(iter([b"abc", b"defgh", b"ij"]), ("Content-Length", "5")), 2), scope()).body == b"abcde"


def test_a_body_that_is_too_short_is_an_error() -> None:
    """A response shorter than declared must break the connection, which the server does when we raise."""
    with pytest.raises(RuntimeError, match="2 bytes shorter"):
        ask(Bridge(app_of(iter([b"abc"]), ("Content-Length", "5")), 2), scope())


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
)
def test_no_body_where_none_may_be(method: str, status: str) -> None:
    """HEAD, 204 and 304 are sent without a body, and HEAD keeps its Content-Length."""
    app = app_of([b"hello"], ("Content-Length", "5"), status=status)
    answer = ask(Bridge(app, 2), scope(method=method))
    assert (answer.status, answer.body, answer.values("content-length")) == (int(status[:3]), b"", ["5"])


def test_headers_of_the_connection_are_the_servers() -> None:
    """Hop-by-hop headers of the app are dropped; repeated ones stay apart."""
    app = app_of(
        [b""], ("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Set-Cookie", "a"), ("Set-Cookie", "b")
    )
    answer = ask(Bridge(app, 2), scope())
    assert answer.headers == [("set-cookie", "a"), ("set-cookie", "b"), ("content-length", "0")]


def test_an_exception_reaches_the_server() -> None:
    """What the app raises before it has answered is raised to the server, which answers 500; the body is closed."""
    body = Closing(iter([b"a"]))

    def app(_environ: dict[str, Any], _start: Start) -> Iterable[bytes]:
        raise KeyError("boom")

    with pytest.raises(KeyError, match="boom"):
        ask(Bridge(app, 2), scope())
    with pytest.raises(AssertionError, match="before start_response"):
        ask(Bridge(lambda _environ, _start: body, 2), scope())
    assert body.closed.is_set()


def test_an_exit_in_a_view_ends_no_thread() -> None:
    """SystemExit in the app is an error of its request; the thread goes on to serve."""

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        if environ["PATH_INFO"] == "/exit":
            sys.exit(3)
        start("200 OK", [])
        return [threading.current_thread().name.encode()]

    bridge = Bridge(app, 1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="SystemExit"):
            ask(bridge, scope("/exit"))
        assert ask(bridge, scope()).body == b"carboy-app-1"


def test_an_error_page_replaces_a_response_that_was_not_sent() -> None:
    """start_response with exc_info starts anew before the first byte, and raises after it."""

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/late":
            yield b"begun"
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            start("500 Internal Server Error", [], sys.exc_info())
        yield b"sorry"

    bridge = Bridge(app, 2)
    answer = ask(bridge, scope())
    assert (answer.status, answer.body) == (500, b"sorry")
    with pytest.raises(ZeroDivisionError):
        ask(bridge, scope("/late"))


def test_write_is_served() -> None:
    """The old way, the callable that start_response returns, still sends."""

    def app(_environ: dict[str, Any], start: Start) -> list[bytes]:
        write = start("200 OK", [("Content-Length", "4")])
        write(b"ab")
        return [b"cd"]

    assert ask(Bridge(app, 2), scope()).body == b"abcd"


def test_a_body_is_read_as_it_comes() -> None:
    """A request in many pieces reaches the app whole, and is fetched only when the app reads."""
    pieces: list[Message] = [{"type": "http.request", "body": b"ab", "more_body": True} for _ in range(50)]
    pieces.append({"type": "http.request", "body": b"end"})
    there = Connection(pieces)
    fetched: list[int] = []

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        fetched.append(there.received)
        body = environ["wsgi.input"].read()
        start("200 OK", [])
        return [body]

    answer = ask(Bridge(app, 2), scope(method="POST", headers=[(b"transfer-encoding", b"chunked")]), there)
    assert answer.body == b"ab" * 50 + b"end"
    assert fetched == [1]


def test_an_expectation_is_met_only_when_the_app_reads() -> None:
    """With `Expect: 100-continue` nothing is received before the app asks: the server says "continue" at that."""
    there = Connection([{"type": "http.request", "body": b"abc"}])
    headers = [(b"content-length", b"3"), (b"expect", b"100-continue")]
    ask(Bridge(app_of([b"no"]), 2), scope(method="POST", headers=headers), there)
    assert there.received == 0


def test_flask_reads_forms_and_lines() -> None:
    """Flask's form parsing works on the bridged body, with and without a length."""
    app = Flask("forms")
    app.add_url_rule("/", view_func=lambda: request.form["a"], endpoint="form", methods=["POST"])
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    for framing in ((b"content-length", b"6"), (b"transfer-encoding", b"chunked")):
        there = Connection(
            [{"type": "http.request", "body": b"a=", "more_body": True}, {"type": "http.request", "body": b"shop"}]
        )
        assert ask(Bridge(app, 2), scope(method="POST", headers=[kind, framing]), there).body == b"shop"


def test_a_client_that_leaves_during_its_upload_frees_the_thread() -> None:
    """Reading on after a disconnect raises in the app, so that half an upload is not taken for a whole one."""
    raised: list[str] = []

    def app(environ: dict[str, Any], start: Start) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            raised.append(type(error).__name__)
        start("400 Bad Request", [])
        return [b""]

    async def run() -> None:
        there = Connection([{"type": "http.request", "body": b"ab", "more_body": True}])
        there.leaves.set()
        await Bridge(app, 1)(scope(method="POST", headers=[(b"content-length", b"9")]), there.receive, there.send)

    asyncio.run(run())
    assert raised == ["ClientGone"]


def test_flask_takes_half_an_upload_for_a_bad_request() -> None:
    """A client that leaves in the middle of its upload is no error of the app: nothing is logged as one."""
    app = Flask("uploads")
    seen: list[type] = []

    @app.route("/", methods=["POST"])
    def upload() -> bytes:
        return request.stream.read()

    @app.errorhandler(Exception)
    def fail(error: Exception) -> str:
        seen.append(type(error))
        return ""

    async def run() -> None:
        there = Connection([{"type": "http.request", "body": b"ab", "more_body": True}])
        there.leaves.set()
        await Bridge(app, 1)(scope(method="POST", headers=[(b"content-length", b"9")]), there.receive, there.send)

    asyncio.run(run())
    assert seen == [ClientDisconnected]


def test_a_client_that_leaves_stops_the_stream() -> None:
    """A disconnect ends the app's iteration, and its iterable is closed."""
    body = Closing(_endless())

    async def run() -> None:
        there = Connection([])

        async def send(message: Message) -> None:
            await there.send(message)
            if len(there.sent) == 5:
                there.leaves.set()

        await asyncio.wait_for(Bridge(app_of(body), 1)(scope(), there.receive, send), 20)

    asyncio.run(run())
    assert body.closed.wait(10)
    assert body.given < 1000


def _endless() -> Iterator[bytes]:
    while True:
        yield b"x"


def test_a_server_that_refuses_to_send_stops_the_stream() -> None:
    """An OSError from the server's send is its word for a client that left: no error is logged, the body is closed."""
    body = Closing(_endless())

    class Broken(Connection):
        async def send(self, message: Message) -> None:
            self.sent.append(message)
            if len(self.sent) > 3:
                raise BrokenPipeError

    ask(Bridge(app_of(body), 1), scope(), Broken())
    assert body.closed.is_set()


def test_a_cancelled_request_loses_no_thread() -> None:
    """When the server gives up on a request, its thread is free again for the next, and the body is closed."""
    body = Closing(_endless())
    bridge = Bridge(app_of(body), 1)

    async def run() -> None:
        there, sending = Connection([]), asyncio.Event()

        async def stuck(_message: Message) -> None:
            sending.set()
            await asyncio.sleep(3600)

        task = asyncio.ensure_future(bridge(scope(), there.receive, stuck))
        await asyncio.wait_for(sending.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert body.closed.wait(10)
    freed = threading.Event()
    bridge.pool.submit(freed.set)
    assert freed.wait(10)
    assert bridge.pool.started == 1


def test_requests_wait_for_a_thread() -> None:
    """No more requests run at once than there are threads, and every one is answered."""
    running, most, lock = 0, 0, threading.Lock()

    def app(_environ: dict[str, Any], start: Start) -> list[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        start("200 OK", [])
        return [b"ok"]

    bridge = Bridge(app, 4)

    async def run() -> list[bytes]:
        connections = [Connection() for _ in range(64)]
        await asyncio.gather(*(bridge(scope(), there.receive, there.send) for there in connections))
        return [there.answer().body for there in connections]

    assert asyncio.run(run()) == [b"ok"] * 64
    assert most == 4


def test_context_variables_do_not_leak() -> None:
    """What one request sets in its context, the next one in the same thread does not see."""
    variable = contextvars.ContextVar("variable", default="clean")

    def app(_environ: dict[str, Any], start: Start) -> list[bytes]:
        before = variable.get()
        variable.set("dirty")
        start("200 OK", [])
        return [before.encode()]

    bridge = Bridge(app, 1)
    assert [ask(bridge, scope()).body for _ in range(3)] == [b"clean"] * 3


@pytest.mark.parametrize(
    ("given", "script", "path"),
    [
        ({"raw_path": b"/a%20b", "path": "/a b"}, "", "/a b"),
        ({"raw_path": b"/%c3%a9", "path": "/é"}, "", "/Ã©"),
        ({"raw_path": b"/%ff", "path": "/\ufffd"}, "", "/\xff"),
        ({"raw_path": None, "path": "/é"}, "", "/Ã©"),
        ({"raw_path": b"/shop/x", "path": "/shop/x", "root_path": "/shop"}, "/shop", "/x"),
        ({"raw_path": b"/x", "path": "/x", "root_path": "/shop"}, "/shop", "/x"),
        ({"raw_path": b"/shopping", "path": "/shopping", "root_path": "/shop"}, "/shop", "/shopping"),
        ({"raw_path": b"/a?b=1", "path": "/a"}, "", "/a"),
    ],
)
def test_paths_arrive_as_wsgi_has_them(given: dict[str, Any], script: str, path: str) -> None:
    """PATH_INFO holds the bytes that were sent, as latin-1, without the root path."""
    seen = environ_of(scope(**given))
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == (script, path)


def test_headers_arrive_as_wsgi_has_them() -> None:
    """Repeated headers are joined, cookies by semicolon; a name with an underscore cannot pose as another."""
    headers = [
        (b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"content-type", b"text/plain"),
        (b"x_forwarded_for", b"6.6.6.6"), (b"x-latin", b"\xe9"),
    ]  # fmt: skip
    seen = environ_of(scope(headers=headers, query_string=b"q=%20"))
    assert (seen["HTTP_X_A"], seen["HTTP_COOKIE"], seen["CONTENT_TYPE"]) == ("1,2", "a=1; b=2", "text/plain")
    assert (seen["HTTP_X_LATIN"], seen["QUERY_STRING"], seen["REMOTE_ADDR"]) == ("\xe9", "q=%20", "127.0.0.1")
    assert "HTTP_X_FORWARDED_FOR" not in seen


def test_a_unix_socket_has_no_address() -> None:
    """Servers on a Unix socket know neither client nor port."""
    seen = environ_of(scope(client=None, server=("/run/app.sock", None)))
    assert (seen["REMOTE_ADDR"], seen["SERVER_PORT"]) == ("", "80")


def test_the_lifespan_is_answered() -> None:
    """Startup and shutdown are completed, so that no server warns."""
    there = Connection([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    asyncio.run(Bridge(app_of([]), 1)({"type": "lifespan"}, there.receive, there.send))
    assert [message["type"] for message in there.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_refused() -> None:
    """A WSGI app has no WebSocket: it is closed before it is accepted, which the client sees as 403."""
    there = Connection([{"type": "websocket.connect"}])
    request_scope = {"type": "websocket", "path": "/", "headers": [], "scheme": "ws"}
    asyncio.run(wrap_asgi(Flask("plain"), settings())(request_scope, there.receive, there.send))
    assert [message["type"] for message in there.sent] == ["websocket.close"]
