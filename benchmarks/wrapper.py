"""What the wrapper costs, in process: microseconds a request and the ratio wrapped to bare.

Run: python benchmarks/wrapper.py [--json]. Each figure is the best of several rounds, bare and wrapped in turn.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

from flask import Flask
from flask_carboy.settings import read
from flask_carboy.wrap import wrap_wsgi

REQUESTS = 4000
ROUNDS = 9

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]

PROXY = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "shop.example",
}


def _plain(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def _flask() -> Flask:
    app = Flask("bench")
    app.add_url_rule("/", view_func=lambda: {"ok": True}, endpoint="home")
    return app


def _environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **PROXY,
    }


def _start(_status: str, _headers: Any, _exc_info: Any = None) -> None:
    return None


def _round(app: Wsgi) -> float:
    """Microseconds a request."""
    template = _environ()
    began = time.perf_counter()
    for _ in range(REQUESTS):
        response = app(template.copy(), _start)
        for _chunk in response:
            continue
        close = getattr(response, "close", None)
        if close is not None:
            close()
    return (time.perf_counter() - began) / REQUESTS * 1e6


def measure() -> dict[str, float]:
    """All figures."""
    plain_settings = read(
        {**os.environ, "CARBOY_TRUSTED_HOPS": "1", "CARBOY_GATE_TOKEN": "token", "CARBOY_APP": "bench:app"}
    )
    logged_settings = plain_settings._replace(access_log=True)
    apps: dict[str, Wsgi] = {
        "bare": _plain,
        "wrapped": wrap_wsgi(_plain, plain_settings),
        "wrapped_access_log": wrap_wsgi(_plain, logged_settings),
        "flask": _flask(),
        "flask_wrapped": wrap_wsgi(_flask(), plain_settings),
        "flask_wrapped_access_log": wrap_wsgi(_flask(), logged_settings),
    }
    best = dict.fromkeys(apps, float("inf"))
    with redirect_stderr(io.StringIO()):
        for _ in range(ROUNDS):
            for name, app in apps.items():
                best[name] = min(best[name], _round(app))
    return best


def main() -> None:
    """Print the figures."""
    best = measure()
    figures = {
        "wrapper_us": round(best["wrapped"] - best["bare"], 1),
        "wrapper_access_log_us": round(best["wrapped_access_log"] - best["bare"], 1),
        "flask_us": round(best["flask"], 1),
        "flask_ratio": round(best["flask_wrapped"] / best["flask"], 3),
        "flask_access_log_ratio": round(best["flask_wrapped_access_log"] / best["flask"], 3),
    }
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
