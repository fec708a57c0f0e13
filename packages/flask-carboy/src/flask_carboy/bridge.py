"""A WSGI app behind an ASGI server.

One coroutine and one thread for each request. The thread runs the app; whenever it needs the connection it tells the
coroutine its wish and, where there is an answer to wait for, waits. So everything that touches the connection happens
in the one coroutine, in order, and a client that reads slowly slows down the app and nothing else.
"""

import asyncio
import contextlib
import contextvars
import io
import sys
import traceback
from collections import deque
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, Awaitable, Callable, Deque, Dict, Iterable, List, MutableMapping, NamedTuple, Optional, Tuple

from flask_carboy import asgi_environ
from flask_carboy.pool import Pool

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
WsgiApp = Callable[[Dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# They belong to the connection, which is the server's.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_BODYLESS = frozenset((204, 304))


class ClientGone(ConnectionResetError):
    """Nobody is there to read or to send any more."""


class _Wish(NamedTuple):
    """What a thread wants of its coroutine: send `messages`, or (None) the next piece of the request."""

    messages: Optional[List[Message]]
    waits: bool


class Bridge:
    """ASGI in front, `app` behind, in at most `threads` threads at once."""

    def __init__(self, app: WsgiApp, threads: int) -> None:
        self._app = app
        self.pool = Pool(threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(self._app, self.pool, scope, receive, send).run()
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


class _Exchange:
    """One request and its response: `run` in the event loop, `_work` and what it calls in a thread."""

    def __init__(self, app: WsgiApp, pool: Pool, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._pool = pool
        self._scope = scope
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._wishes: Deque[Optional[_Wish]] = deque()
        self._waiter: Optional["asyncio.Future[None]"] = None
        self._replies: "SimpleQueue[Optional[Message]]" = SimpleQueue()
        self._disconnect: Optional["asyncio.Task[Message]"] = None
        self._body_complete = True
        self._gone = False
        self._error: Optional[BaseException] = None
        self._response = _Response(self, scope["method"] == "HEAD")

    # In the event loop

    async def run(self) -> None:
        environ = asgi_environ.build(self._scope, await self._body())
        if self._gone:
            return
        context = contextvars.copy_context()
        self._pool.submit(lambda: context.run(self._work, environ))
        try:
            while True:
                wish = await self._next_wish()
                if wish is None:
                    break
                await self._grant(wish)
        finally:
            self._gone = True
            self._replies.put(None)  # frees a thread that waits, when this coroutine was cancelled
            if self._disconnect is not None:
                self._disconnect.cancel()
        if self._error is not None:
            raise self._error

    async def _body(self) -> io.BufferedIOBase:
        headers = dict(self._scope["headers"])
        if self._is_without_body(headers):
            return io.BytesIO()
        first = b""
        self._body_complete = False
        if b"expect" not in headers:  # the server says "continue" at the first receive: that is for the app to start
            message = await self._receive()
            self._gone = message["type"] == "http.disconnect"
            self._body_complete = not message.get("more_body", False)
            first = message.get("body", b"")
            if self._body_complete:
                return io.BytesIO(first)
        return io.BufferedReader(_Body(self, first), 65536)

    def _is_without_body(self, headers: Dict[bytes, bytes]) -> bool:
        # HTTP/2 has bodies without either header; there the first message tells.
        if self._scope.get("http_version", "1.1") not in ("1.0", "1.1") or b"transfer-encoding" in headers:
            return False
        return headers.get(b"content-length", b"0") == b"0"

    async def _next_wish(self) -> Optional[_Wish]:
        while not self._wishes:
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._wishes.popleft()

    def _wish_arrived(self, wish: Optional[_Wish]) -> None:
        self._wishes.append(wish)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _grant(self, wish: _Wish) -> None:
        reply: Optional[Message] = None
        try:
            if wish.messages is None:
                reply = await self._next_piece()
            elif not self._client_left(wish.waits):
                for message in wish.messages:
                    await self._send(message)
                reply = {}
        except OSError:
            self._gone = True  # the server's word for a client that left
        except Exception as error:
            self._gone = True
            self._error = error
        if wish.waits:
            self._replies.put(reply)

    async def _next_piece(self) -> Optional[Message]:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._gone = True
            return None
        self._body_complete = not message.get("more_body", False)
        return message

    def _client_left(self, streams: bool) -> bool:
        # While a response streams, the server's next message can only be that the client left.
        if streams and self._disconnect is None and self._body_complete:
            self._disconnect = self._loop.create_task(self._await_disconnect())
        return self._gone

    async def _await_disconnect(self) -> Message:
        message = await self._receive()
        while message["type"] != "http.disconnect":
            message = await self._receive()
        self._gone = True
        return message

    # In the thread

    def tell(self, wish: Optional[_Wish]) -> None:
        """Hand a wish over, and do not wait."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has given up on this request
            self._loop.call_soon_threadsafe(self._wish_arrived, wish)
            return
        self._gone = True

    def ask(self, messages: Optional[List[Message]]) -> Message:
        """Hand a wish over and wait until it is done; ClientGone where that cannot be."""
        if not self._gone:
            self.tell(_Wish(messages, waits=True))
        reply = None if self._gone else self._replies.get()
        if reply is None:
            self._gone = True
            raise ClientGone("the client has left")
        return reply

    @property
    def body_complete(self) -> bool:
        """Whether the last piece of the request has been handed over."""
        return self._body_complete

    def _work(self, environ: Dict[str, Any]) -> None:
        try:
            with contextlib.suppress(ClientGone):  # nothing is left to do for a client that left
                self._call_app(environ)
        except BaseException as error:  # SystemExit in a view is an error of that request
            self._fail(error)
        finally:
            self.tell(None)

    def _fail(self, error: BaseException) -> None:
        if self._response.finished or self._gone:
            traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        elif isinstance(error, Exception):
            self._error = error
        else:
            self._error = RuntimeError(f"the app raised {error!r}")

    def _call_app(self, environ: Dict[str, Any]) -> None:
        if self._gone:
            return
        response = self._response
        iterable = self._app(environ, response.start)
        try:
            if isinstance(iterable, (list, tuple)):
                response.declare_length(sum(len(chunk) for chunk in iterable))
            for chunk in iterable:
                if chunk:
                    response.write(chunk)
            response.finish()
        finally:
            close = getattr(iterable, "close", None)
            if close is not None:
                close()


class _Response:
    """What the app has said so far; lives in the thread."""

    def __init__(self, exchange: _Exchange, head_only: bool) -> None:
        self._exchange = exchange
        self._head_only = head_only
        self._status = 0
        self._headers: List[Tuple[bytes, bytes]] = []
        self._left: Optional[int] = None  # bytes of the declared length that are still to come
        self._started = False
        self.finished = False

    def start(self, status: str, headers: List[Tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """WSGI's start_response."""
        if exc_info:
            try:
                if self._started:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._status:
            raise AssertionError("start_response was called twice")
        self._status = int(status.split(" ", 1)[0])
        self._headers = []
        self._left = None
        for name, value in headers:
            encoded = _encoded_name(name)
            if encoded == b"content-length":
                self._left = int(value)
            if encoded not in _HOP_BY_HOP:
                self._headers.append((encoded, value.encode("latin-1")))
        return self.write

    def declare_length(self, length: int) -> None:
        """Say how long a body is that lies there whole."""
        if self._left is None and self._status not in _BODYLESS and not self._started:
            self._left = length
            self._headers.append((b"content-length", str(length).encode()))

    def write(self, chunk: bytes) -> None:
        """Send a piece; at once, because an app may stream."""
        if not self._status:
            raise AssertionError("the app sent a body before start_response")
        if self._head_only or self._status in _BODYLESS or self.finished:
            return
        if self._left is not None:
            chunk = chunk[: self._left]  # more than was declared would be taken for the next response
            self._left -= len(chunk)
        last = self._left == 0
        messages = self._opening()
        messages.append({"type": "http.response.body", "body": bytes(chunk), "more_body": not last})
        if last:
            self.finished = True
            self._exchange.tell(_Wish(messages, waits=False))
        else:
            self._exchange.ask(messages)

    def finish(self) -> None:
        """End the response."""
        if self.finished:
            return
        if not self._status:
            raise AssertionError("the app did not call start_response")
        if self._left and not self._head_only and self._status not in _BODYLESS:
            raise RuntimeError(f"the response is {self._left} bytes shorter than its Content-Length")
        self.finished = True
        messages = self._opening()
        messages.append({"type": "http.response.body", "body": b"", "more_body": False})
        self._exchange.tell(_Wish(messages, waits=False))

    def _opening(self) -> List[Message]:
        if self._started:
            return []
        self._started = True
        return [{"type": "http.response.start", "status": self._status, "headers": self._headers}]


class _Body(io.RawIOBase):
    """The request's body, fetched from the client only when the app reads."""

    def __init__(self, exchange: _Exchange, first: bytes) -> None:
        self._exchange = exchange
        self._rest = memoryview(first)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            if self._exchange.body_complete:
                return 0
            self._rest = memoryview(self._exchange.ask(None).get("body", b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


@lru_cache(maxsize=512)
def _encoded_name(name: str) -> bytes:
    return name.lower().encode("latin-1")
