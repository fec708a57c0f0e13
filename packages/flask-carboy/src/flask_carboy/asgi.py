"""The wrapper around an ASGI app: what `wsgi` does, in the other protocol."""

from typing import Any, Awaitable, Callable, Dict, List, MutableMapping, Optional, Tuple

from flask_carboy.drain import Drain
from flask_carboy.gate import Gate
from flask_carboy.health import METHODS, Answer, Health, document, headers
from flask_carboy.names import GATE_HEADER, GATE_PATH, REQUEST_ID_HEADER, REQUEST_ID_KEY, WORKER_HEADER
from flask_carboy.proxy import Origin, authority, resolve, split_port
from flask_carboy.request_id import make, valid

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = List[Tuple[bytes, bytes]]

_ID = REQUEST_ID_HEADER.lower().encode()
_GATE = GATE_HEADER.lower().encode()
_WORKER = WORKER_HEADER.lower().encode()
_FOR, _PROTO, _HOST, _PORT, _PREFIX = (
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-prefix",
)
_REAL_IP = b"x-real-ip"
_FORWARDED = frozenset((_FOR, _PROTO, _HOST, _PORT, _PREFIX, _REAL_IP, b"forwarded"))


class AsgiWrapper:
    """Health, gate, proxy headers and request id around `app`; all but requests passes through."""

    def __init__(self, app: AsgiApp, health: Health, gate: Gate, drain: Drain, hops: int, prefix: bool) -> None:
        self._app = app
        self._health = health
        self._gate = gate
        self._drain = drain
        self._hops = hops
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # At the start of the loop the server's own handlers stand; where there is no lifespan, at the first request.
        self._drain.watch(in_loop=True)
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = dict(scope)
        if self._hops:
            trust(scope, self._hops, self._prefix)
        added = self._mark(scope)
        answer = self._own_answer(scope, added)
        if answer is not None:
            await _respond(answer, scope["method"] == "HEAD", added, send)
            return
        await self._app(scope, receive, self._adding(added, send) if scope["type"] == "http" else send)

    def _mark(self, scope: Scope) -> RawHeaders:
        """Give the request its id and take the gate's token out; the headers to add to the response."""
        raw: RawHeaders = list(scope["headers"])
        sent = next((value.decode("latin-1") for name, value in raw if name == _ID), "")
        request_id = sent if valid(sent) else make()
        token = next((value for name, value in raw if name == _GATE), None)
        known = token is not None and self._gate.opens(token)
        scope["headers"] = [pair for pair in raw if pair[0] != _ID and not (known and pair[0] == _GATE)]
        scope["headers"].append((_ID, request_id.encode()))
        scope[REQUEST_ID_KEY] = request_id
        added = [(_ID, request_id.encode())]
        if known:
            added.append((_WORKER, self._gate.worker().encode()))
        return added

    def _own_answer(self, scope: Scope, added: RawHeaders) -> Optional[Answer]:
        path = scope["path"]
        if scope["type"] != "http" or scope["method"] not in METHODS:
            return None
        root = scope.get("root_path", "")
        if root and path.startswith(root + "/"):
            path = path[len(root) :]
        if path == GATE_PATH and len(added) > 1:
            return document(self._gate.report())
        return self._health.answer(path) if path in self._health.paths else None

    def _adding(self, added: RawHeaders, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                ours = added[1:] if any(name.lower() == _ID for name, _ in own) else added
                close = [(b"connection", b"close")] if self._drain.active else []
                message = {**message, "headers": own + ours + close}
            await send(message)

        return sending


async def _respond(answer: Answer, head: bool, added: RawHeaders, send: Send) -> None:
    own = [(name.lower().encode(), value.encode()) for name, value in headers(answer.body).items()]
    await send({"type": "http.response.start", "status": int(answer.status[:3]), "headers": own + added})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


def trust(scope: Scope, hops: int, with_prefix: bool) -> None:
    """Put what `hops` proxies said into `scope`; see `flask_carboy.wsgi.trust`."""
    found: Dict[bytes, str] = {}
    kept: RawHeaders = []
    for name, value in scope["headers"]:
        if name in _FORWARDED:
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if name in found else text
        else:
            kept.append((name, value))
    prefix = found.get(_PREFIX) if with_prefix else None
    origin = resolve(hops, found.get(_FOR), found.get(_PROTO), found.get(_HOST), found.get(_PORT), prefix)
    _believe(scope, origin, kept, _REAL_IP in found)
    scope["headers"] = kept


def _believe(scope: Scope, origin: Origin, kept: RawHeaders, real_ip: bool) -> None:
    if origin.client:
        scope["client"] = (origin.client, 0)
        kept.append((_FOR, origin.client.encode()))
        if real_ip:
            kept.append((_REAL_IP, origin.client.encode()))
    if origin.scheme:
        socket = scope["type"] == "websocket"
        scope["scheme"] = {"http": "ws", "https": "wss"}[origin.scheme] if socket else origin.scheme
        kept.append((_PROTO, origin.scheme.encode()))
    if origin.host or origin.port or origin.scheme:
        _set_host(scope, origin, kept)
    if origin.prefix:
        kept.append((_PREFIX, origin.prefix.encode()))
        # ASGI's path holds the root path, where WSGI's PATH_INFO does not.
        scope["root_path"] = origin.prefix
        scope["path"] = origin.prefix + scope["path"]
        if scope.get("raw_path"):
            scope["raw_path"] = origin.prefix.encode() + scope["raw_path"]


def _set_host(scope: Scope, origin: Origin, kept: RawHeaders) -> None:
    scheme = "https" if scope.get("scheme") in ("https", "wss") else "http"
    sent = next((value.decode("latin-1") for name, value in kept if name == b"host"), None)
    named = origin.host or sent
    if not named:
        return
    host = authority(named, origin.port, scheme)
    kept[:] = [pair for pair in kept if pair[0] != b"host"]
    kept.append((b"host", host.encode("latin-1")))
    port = split_port(host, scheme)
    if origin.host:
        kept.append((_HOST, host.encode()))
        scope["server"] = (host[: -len(port) - 1] if host.endswith(":" + port) else host, int(port))
    if origin.port:
        kept.append((_PORT, origin.port.encode()))
