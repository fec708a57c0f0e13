"""The wrapper around a WSGI app: lean, because every request pays for it."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from flask_carboy.drain import Drain
from flask_carboy.gate import Gate
from flask_carboy.health import METHODS, Answer, Health, document, headers
from flask_carboy.names import GATE_PATH, REQUEST_ID_HEADER, REQUEST_ID_KEY, WORKER_HEADER
from flask_carboy.proxy import Origin, authority, resolve, split_port
from flask_carboy.request_id import make, valid

Environ = Dict[str, Any]
HeaderList = List[Tuple[str, str]]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)


class WsgiWrapper:
    """Health, gate, proxy headers and request id around `app`, which is called with nothing else changed."""

    def __init__(self, app: WsgiApp, health: Health, gate: Gate, drain: Drain, hops: int, prefix: bool) -> None:
        self._app = app
        self._health = health
        self._gate = gate
        self._drain = drain
        self._hops = hops
        self._prefix = prefix
        self._watched = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        get = environ.get
        if not self._watched:
            # Once is enough where the server calls us in threads, which can install no handler however often asked.
            self._drain.watch()
            self._watched = True
        if self._hops:
            trust(environ, self._hops, self._prefix)
        request_id = get("HTTP_X_REQUEST_ID")
        if request_id is None or not valid(request_id):
            environ["HTTP_X_REQUEST_ID"] = request_id = make()
        environ[REQUEST_ID_KEY] = request_id
        added: HeaderList = [(REQUEST_ID_HEADER, request_id)]
        if "HTTP_X_CARBOY_GATE" in environ and self._gate.opens(environ["HTTP_X_CARBOY_GATE"].encode("latin-1")):
            del environ["HTTP_X_CARBOY_GATE"]
            added.append((WORKER_HEADER, self._gate.worker()))
            if get("PATH_INFO") == GATE_PATH and get("REQUEST_METHOD") in METHODS:
                return _answer(document(self._gate.report()), added, environ, start_response)
        if get("PATH_INFO") in self._health.paths and get("REQUEST_METHOD") in METHODS:
            answer = self._health.answer(environ["PATH_INFO"])
            if answer is not None:
                return _answer(answer, added, environ, start_response)

        if self._drain.active and self._drain.tells_clients:
            added.append(("Connection", "close"))

        def start(status: str, response: HeaderList, exc_info: Optional[Any] = None) -> Any:
            for name, _ in response:
                if len(name) == 12 and name.lower() == "x-request-id":
                    return start_response(status, [*response, *added[1:]], exc_info)  # the app's own word stands
            return start_response(status, [*response, *added], exc_info)

        return self._app(environ, start)


def _answer(answer: Answer, added: HeaderList, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response(answer.status, [*headers(answer.body).items(), *added])
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [answer.body]


def trust(environ: Environ, hops: int, with_prefix: bool) -> None:
    """Put what `hops` proxies said into `environ`, and leave no forwarding header that nobody vouches for.

    What was believed is written back as the only value, so that an app with a ProxyFix of its own comes to the same.
    """
    get = environ.get
    origin = resolve(
        hops,
        get("HTTP_X_FORWARDED_FOR"),
        get("HTTP_X_FORWARDED_PROTO"),
        get("HTTP_X_FORWARDED_HOST"),
        get("HTTP_X_FORWARDED_PORT"),
        get("HTTP_X_FORWARDED_PREFIX") if with_prefix else None,
    )
    had_real_ip = "HTTP_X_REAL_IP" in environ
    for name in _FORWARDED:
        if name in environ:
            del environ[name]
    if origin.client:
        environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"] = origin.client
        environ.pop("REMOTE_PORT", None)
        if had_real_ip:
            environ["HTTP_X_REAL_IP"] = origin.client
    if origin.scheme:
        environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"] = origin.scheme
    if origin.host or origin.port or origin.scheme:
        _set_host(environ, origin)
    if origin.prefix:
        environ["SCRIPT_NAME"] = environ["HTTP_X_FORWARDED_PREFIX"] = origin.prefix


def _set_host(environ: Environ, origin: Origin) -> None:
    scheme = environ.get("wsgi.url_scheme", "http")
    named = origin.host or environ.get("HTTP_HOST")
    if not named:
        return
    host = authority(named, origin.port, scheme)
    environ["HTTP_HOST"] = host
    environ["SERVER_PORT"] = split_port(host, scheme)
    if origin.host:
        environ["HTTP_X_FORWARDED_HOST"] = host
        environ["SERVER_NAME"] = (
            host[: -len(environ["SERVER_PORT"]) - 1] if host.endswith(":" + environ["SERVER_PORT"]) else host
        )
    if origin.port:
        environ["HTTP_X_FORWARDED_PORT"] = origin.port
