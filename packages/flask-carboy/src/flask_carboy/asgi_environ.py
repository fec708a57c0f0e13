"""The WSGI environ of an ASGI request."""

import sys
from typing import Any, Dict, Iterable, Mapping, Tuple
from urllib.parse import unquote_to_bytes

from flask_carboy.names import REQUEST_ID_KEY


class FileWrapper:
    """Reads a file in pieces that are worth their way through the event loop."""

    def __init__(self, file: Any, block: int = 65536) -> None:
        self._file = file
        self._block = max(block, 65536)
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        data: bytes = self._file.read(self._block)
        if not data:
            raise StopIteration
        return data


def build(scope: Mapping[str, Any], body: Any) -> Dict[str, Any]:
    """The environ for `scope`, whose body is read from `body`."""
    root, path = _paths(scope)
    server = scope.get("server") or ("localhost", None)
    client = scope.get("client") or ("", None)
    environ: Dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": path,
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": server[0] or "localhost",
        "SERVER_PORT": str(server[1] or (443 if scope.get("scheme") == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/" + scope.get("http_version", "1.1"),
        "REMOTE_ADDR": client[0] or "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        REQUEST_ID_KEY: scope.get(REQUEST_ID_KEY, ""),
    }
    if client[1]:
        environ["REMOTE_PORT"] = str(client[1])
    _add_headers(environ, scope["headers"])
    # Without a length the end of the stream is the end of the body; with one Werkzeug had better count, because only
    # then it takes a client that left for a bad request and not for an error of the app.
    if "CONTENT_LENGTH" not in environ:
        environ["wsgi.input_terminated"] = True
    return environ


def _paths(scope: Mapping[str, Any]) -> Tuple[str, str]:
    root = scope.get("root_path", "").rstrip("/").encode("utf-8", "surrogateescape")
    raw = scope.get("raw_path")
    # The decoded path has lost what was not UTF-8; the app shall get the bytes that were sent, as from a WSGI server.
    sent = unquote_to_bytes(raw.split(b"?", 1)[0]) if raw else scope["path"].encode("utf-8", "surrogateescape")
    if root and (sent == root or sent.startswith(root + b"/")):
        sent = sent[len(root) :]
    return root.decode("latin-1"), sent.decode("latin-1")


def _add_headers(environ: Dict[str, Any], headers: Iterable[Tuple[bytes, bytes]]) -> None:
    for raw_name, raw_value in headers:
        if b"_" in raw_name:
            continue  # X_Forwarded_For would pass for X-Forwarded-For
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        if name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            environ.setdefault(name, value)
            continue
        key = "HTTP_" + name
        if key in environ:
            environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + value
        else:
            environ[key] = value
