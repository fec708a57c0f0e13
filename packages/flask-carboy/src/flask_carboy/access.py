"""The access log, the same under every server: one line for each request on stderr.

    2026-03-01T12:00:00.123Z 203.0.113.9 GET /cart 200 5120 12.3ms 4f0c...

The query is left out: it is where tokens and passwords of careless links stand.
"""

import re
import sys
import time
from typing import Any, Awaitable, Callable, Dict, Iterable, Iterator, MutableMapping, Optional
from urllib.parse import quote

from flask_carboy.names import REQUEST_ID_KEY

# Anything else could end the line or pass for another field.
_PLAIN = re.compile(r"[!-~]+").fullmatch
LONGEST = 1000

Environ = Dict[str, Any]
StartResponse = Callable[..., Any]


class _Clock:
    """The time as text; the part down to the second is made once a second."""

    def __init__(self) -> None:
        self._known = (0, "")

    def text(self, now: float) -> str:
        second = int(now)
        known, text = self._known
        if known != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._known = (second, text)  # one assignment: threads see the old pair or the new one
        return f"{text}.{int(now * 1000) % 1000:03d}Z"


_clock = _Clock()


def write(client: str, method: str, path: str, status: int, size: Optional[int], seconds: float, request: str) -> None:
    """Write one line."""
    line = (
        f"{_clock.text(time.time())} {client or '-'} {_field(method)} {_field(path)} {status} "
        f"{'-' if size is None else size} {seconds * 1000:.1f}ms {request or '-'}\n"
    )
    sys.stderr.write(line)
    sys.stderr.flush()


def _field(text: str) -> str:
    short = text[:LONGEST]
    return short if _PLAIN(short) else quote(short.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=~") or "-"


class WsgiAccessLog:
    """Writes a line when the response of `app` has been sent."""

    def __init__(self, app: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        record = _Record(environ)

        def start(status: str, headers: Any, exc_info: Optional[Any] = None) -> Any:
            record.status = int(status[:3])
            record.size = _declared(headers)
            return start_response(status, headers, exc_info)

        try:
            iterable = self._app(environ, start)
        except BaseException:
            record.status = 500
            record.write()
            raise
        if isinstance(iterable, (list, tuple)) or _is_file(iterable, environ):
            # Servers send these in ways of their own (whole, or by sendfile) that a wrapper would spoil.
            record.write()
            return iterable
        return _Logged(iterable, record)


class _Record:
    __slots__ = ("_began", "_environ", "_written", "size", "status")

    def __init__(self, environ: Environ) -> None:
        self._environ = environ
        self._began = time.perf_counter()
        self._written = False
        self.status = 0
        self.size: Optional[int] = None

    def write(self) -> None:
        if self._written:
            return
        self._written = True
        get = self._environ.get
        write(
            get("REMOTE_ADDR", ""),
            get("REQUEST_METHOD", ""),
            get("SCRIPT_NAME", "") + get("PATH_INFO", ""),
            self.status,
            self.size,
            time.perf_counter() - self._began,
            get(REQUEST_ID_KEY, ""),
        )


class _Logged:
    """The app's iterable; its end writes the line."""

    def __init__(self, inner: Iterable[bytes], record: _Record) -> None:
        self._inner = inner
        self._record = record

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            yield chunk
        if self._record.size is None:
            self._record.size = size
        # Here and not only in close(): a server that stops may call that too late.
        self._record.write()

    def close(self) -> None:
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            self._record.write()


def _declared(headers: Iterable[Any]) -> Optional[int]:
    for name, value in headers:
        if len(name) == 14 and name.lower() == "content-length" and value.isdigit():
            return int(value)
    return None


def _is_file(iterable: Any, environ: Environ) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(iterable, wrapper)


Scope = MutableMapping[str, Any]
AsgiApp = Callable[[Scope, Any, Any], Awaitable[None]]


class AsgiAccessLog:
    """The same for an ASGI app."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, size = 500, 0

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            client = (scope.get("client") or ("",))[0]
            path = scope["path"].encode("utf-8", "replace").decode("latin-1")
            took = time.perf_counter() - began
            write(client, scope["method"], path, status, size, took, scope.get(REQUEST_ID_KEY, ""))
