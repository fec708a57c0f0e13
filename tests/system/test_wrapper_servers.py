"""The wrapper under real servers: every answer right under a crowd, nothing lost at a stop."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.environments import environment
from tests.system.wrapped import SHOP, Running, crowd, exchange, running, start, wait_for

pytestmark = pytest.mark.system

GUNICORN = ["gunicorn", "--no-control-socket", "-b", "127.0.0.1:PORT", "--graceful-timeout", "10", "-k"]
GRANIAN = ["granian", "--port", "PORT", "--interface"]
SERVERS = {
    "gthread": [*GUNICORN, "gthread", "--threads", "16", "flask_carboy.serve:application"],
    "gunicorn-asgi": [*GUNICORN, "asgi", "flask_carboy.serve:asgi"],
    "waitress": ["python", "-m", "flask_carboy.waitress", "--port", "PORT", "--graceful-timeout", "10"],
    "uvicorn": ["uvicorn", "--no-access-log", "--no-proxy-headers", "--port", "PORT", "flask_carboy.serve:asgi"],
    "uvicorn-worker": [*GUNICORN, "uvicorn_worker.UvicornWorker", "flask_carboy.serve:asgi"],
    "granian": [*GRANIAN, "wsgi", "--blocking-threads", "16", "flask_carboy.serve:application"],
    "granian-asgi": [*GRANIAN, "asgi", "flask_carboy.serve:asgi"],
}
# Uvicorn repeats the signal for its parent when it has stopped.
CODES = {"uvicorn": -15}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with every server, and without asgiref."""
    servers = ("gunicorn", "uvicorn", "httptools", "uvicorn-worker", "granian", "waitress", "pyuwsgi")
    packages = ("flask", *servers, "gevent", "packaging")
    return environment(tmp_path_factory.mktemp("servers"), *packages).python.parent


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, programs: Path, tmp_path: Path) -> Iterator[tuple[str, Running]]:
    program, *words = SERVERS[request.param]
    (tmp_path / "key").write_text("hush\n", encoding="utf-8")
    with running(tmp_path, [str(programs / program), *words], SECRET_KEY_FILE=str(tmp_path / "key")) as started:
        yield request.param, started


@pytest.mark.requirement("S4", "S7", "P5", "L3")
def test_every_answer_is_right_and_nothing_is_lost_at_the_stop(server: tuple[str, Running]) -> None:
    """All of the wrapper works, 64 clients get no wrong answer from plain and coroutine views, SIGTERM loses none."""
    name, started = server
    _is_wrapped(started)
    assert crowd(started, ("plain", "async")) == {"ok": 64 * 25}, started.log_text()[-3000:]
    _bodies(started)
    assert _stop_under_way(started, name) == (b"done", "".join(f"{n}\n" for n in range(20)).encode())
    assert started.process.wait(20) == CODES.get(name, 0)
    log = started.log_text()
    assert "at import is ignored" in log
    assert " GET /slow 200 4 " in log
    assert "/health" not in log
    assert "hush" not in log


def _is_wrapped(started: Running) -> None:
    forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Proto": "https", "X-Request-ID": "abcdefgh"}
    status, headers, body = started.ask(
        "/", {**forwarded, "X-Forwarded-Host": "shop.example", "X-Carboy-Gate": "the-token"}
    )
    told = {"client": "203.0.113.9", "scheme": "https", "host": "shop.example", "id": "abcdefgh", "secret": "hush"}
    assert (status, json.loads(body), headers["X-Request-ID"]) == (200, told, "abcdefgh")
    report = json.loads(started.ask("/.carboy/gate", {"X-Carboy-Gate": "the-token"})[2])
    assert (report["release"], report["draining"]) == ("3", False)
    assert report["databases"] == [{"engine": "sqlite", "address": "", "name": str(started.log.parent / "shop.db")}]
    assert headers["X-Carboy-Worker"] == str(report["worker"])
    assert started.ask("/.carboy/gate")[0] == 404


def _bodies(started: Running) -> None:
    body = bytes(range(256)) * 8192
    assert started.ask("/echo", method="POST", body=body)[2] == body
    status, headers, nothing = started.ask("/", method="HEAD")
    assert (status, nothing) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def _stop_under_way(started: Running, name: str) -> tuple[bytes, bytes]:
    """The bodies of a slow and a streamed response that were under way when SIGTERM came."""
    bodies: dict[str, bytes] = {}
    endings: dict[str, str | None] = {}

    def fetch(path: str) -> None:
        with contextlib.closing(started.connect()) as connection:
            _, headers, bodies[path] = exchange(connection, path)
            endings[path] = headers["Connection"]

    threads = [threading.Thread(target=fetch, args=(path,)) for path in ("/slow", "/stream")]
    with contextlib.closing(started.connect()) as kept:
        assert exchange(kept, "/ready")[0] == 200
        for thread in threads:
            thread.start()
        streaming = started.began.with_name("began-stream")
        wait_for(lambda: started.began.exists() and streaming.exists(), started.log_text)
        started.process.terminate()
        if name == "gthread":  # it answers on open connections until the last request has ended
            wait_for(lambda: _not_ready(kept), started.log_text, 5)
    for thread in threads:
        thread.join()
    assert name == "gthread" or endings["/slow"] == "close"
    return bodies["/slow"], bodies["/stream"]


def _not_ready(kept: http.client.HTTPConnection) -> bool:
    return exchange(kept, "/ready")[0] == 503


@pytest.mark.requirement("S1")
def test_gevent_serves_an_app_without_coroutines(programs: Path, tmp_path: Path) -> None:
    """Under gevent a crowd gets right answers and SIGTERM loses nothing; an app with coroutine views does not start."""
    words = [str(programs / "gunicorn"), *GUNICORN[1:], "gevent", "flask_carboy.serve:application"]
    with running(tmp_path, words, SHOP.replace('hasattr(app, "async_to_sync")', "False"), SECRET_KEY="hush") as started:
        _is_wrapped(started)
        assert crowd(started, ("plain",)) == {"ok": 64 * 25}
        assert started.stop() == 0
    refused = start(tmp_path, words)
    assert refused.process.wait(20) != 0
    assert "which cannot run under gevent" in refused.log_text()


@pytest.mark.parametrize(
    ("app", "line"),
    [
        ("raise KeyError('x')", "carboy: cannot import shop:app: KeyError: 'x'"),
        ("import sys; sys.exit(0)", "carboy: cannot import shop:app: SystemExit: 0"),
        ("def app(): return 1", "carboy: shop:app is a factory: write shop:app()"),
    ],
)
@pytest.mark.parametrize("name", ["gthread", "waitress", "uvicorn"])
def test_an_app_that_cannot_be_loaded_ends_the_server(
    name: str, app: str, line: str, programs: Path, tmp_path: Path
) -> None:
    """The server ends with a code that is not 0 and respawns nothing for ever; the log has the reason in one line."""
    program, *words = SERVERS[name]
    started = start(tmp_path, [str(programs / program), *words], app)
    assert started.process.wait(20) != 0
    assert line in started.log_text().splitlines()


@pytest.mark.requirement("S3")
def test_waitress_stops_at_its_deadline(programs: Path, tmp_path: Path) -> None:
    """A request that outlives the deadline is cut off, which the log says and the exit code shows."""
    words = [str(programs / "python"), "-m", "flask_carboy.waitress", "--port", "PORT", "--graceful-timeout", "0.3"]
    with running(tmp_path, words) as started, contextlib.closing(started.connect()) as connection:
        connection.request("GET", "/slow")
        wait_for(started.began.exists, started.log_text)
        assert started.stop() == 1
        assert "1 requests were cut off after 0.3 seconds" in started.log_text()


@pytest.mark.requirement("S3")
def test_waitress_listens_on_a_unix_socket(programs: Path, tmp_path: Path) -> None:
    """With --unix-socket the app answers there, and the client behind the proxy is known all the same."""
    path = tmp_path / "app.sock"
    words = [str(programs / "python"), "-m", "flask_carboy.waitress", "--unix-socket", str(path)]
    started = start(tmp_path, words)
    wait_for(path.exists, started.log_text)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.0\r\nHost: shop.example\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
        answer = client.makefile("rb").read()
    assert b'"client":"203.0.113.9"' in answer
    assert started.stop() == 0


@pytest.mark.requirement("S2")
def test_uwsgi_finds_the_application(programs: Path, tmp_path: Path) -> None:
    """uWSGI looks into the module's dictionary, finds the wrapped app, and serves coroutine views with threads on."""
    words = [str(programs / "uwsgi"), "--http-socket", "127.0.0.1:PORT", "--master", "--threads", "8", "--need-app"]
    words += [
        "--module",
        "flask_carboy.serve:application",
        "--hook-master-start",
        "unix_signal:15 gracefully_kill_them_all",
    ]
    with running(tmp_path, words, SECRET_KEY="hush") as started:
        _is_wrapped(started)
        assert started.ask("/async/7")[2] == b"7 7"
        assert started.stop() == 0
