"""An app behind the wrapper under a real server, and what clients get from it."""

import contextlib
import http.client
import os
import signal
import subprocess
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from carboy.targets.local.extension import bundled_extension
from tests.support.ports import unused_port

START_DEADLINE = 30.0

SHOP = textwrap.dedent("""
    import asyncio, os, sqlite3, sys, time
    from flask import Flask, Response, g, jsonify, request, session
    sqlite3.connect(os.path.join(os.path.dirname(os.path.abspath(__file__)), "shop.db")).close()
    app = Flask(__name__)
    app.secret_key = "x" * 32

    @app.route("/")
    def home():
        seen = {"client": request.remote_addr, "scheme": request.scheme, "host": request.host}
        return jsonify(id=request.headers["X-Request-ID"], secret=os.environ.get("SECRET_KEY", ""), **seen)

    @app.route("/plain/<n>")
    def plain(n):
        g.n = n
        time.sleep(0.002)
        return "%s %s" % (n, g.n)

    @app.route("/slow")
    def slow():
        open(os.environ["BEGAN"], "a").close()
        time.sleep(1.5)
        return "done"

    @app.route("/stream")
    def stream():
        open(os.environ["BEGAN"] + "-stream", "a").close()
        def pieces():
            for number in range(20):
                yield "%d\\n" % number
                time.sleep(0.05)
        return Response(pieces(), mimetype="text/plain")

    @app.route("/echo", methods=["POST"])
    def echo():
        return request.get_data()

    @app.after_request
    def after(response):
        response.headers["X-N"] = g.get("n", "")
        return response

    lock = None

    async def coroutine(n):
        global lock
        lock = lock or asyncio.Lock()
        g.n = n
        session["n"] = n
        async with lock:
            await asyncio.sleep(0.0002)
        return "%s %s" % (n, session["n"])

    if hasattr(app, "async_to_sync"):  # since Flask 2
        app.add_url_rule("/async/<n>", "async", coroutine)

    app.run(port=1)
""")


@dataclass
class Running:
    """A started server."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    began: Path

    def ask(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request on a connection of its own."""
        connection = self.connect()
        try:
            return exchange(connection, path, headers, method, body)
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def exchange(
    connection: http.client.HTTPConnection,
    path: str,
    headers: dict[str, str] | None = None,
    method: str = "GET",
    body: bytes | None = None,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request on `connection`."""
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def variables(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process of the app in `folder`, as the tool sets it."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CARBOY_", "FLASK_"))}
    return {
        **plain,
        "CARBOY_APP": "shop:app",
        "CARBOY_IMPORT_PATHS": str(folder),
        "CARBOY_GATE_TOKEN": "the-token",
        "CARBOY_TRUSTED_HOPS": "1",
        "CARBOY_THREADS": "16",
        "CARBOY_ACCESS_LOG": "1",
        "CARBOY_RELEASE": "3",
        "PYTHONUNBUFFERED": "1",
        # Alone in its folder, as in a release: beside an installed one stand the libraries of another Python.
        "PYTHONPATH": str(bundled_extension().parent),
        "BEGAN": str(folder / "began"),
        **more,
    }


def start(folder: Path, words: list[str], app: str = SHOP, **more: str) -> Running:
    """Start the server `words` (PORT stands for the port) for `app`, and do not wait."""
    (folder / "shop.py").write_text(app, encoding="utf-8")
    port = unused_port()
    log = folder / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [word.replace("PORT", str(port)) for word in words],
            cwd=folder,
            env=variables(folder, **more),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    return Running(process, port, log, folder / "began")


@contextlib.contextmanager
def running(folder: Path, words: list[str], app: str = SHOP, **more: str) -> Iterator[Running]:
    """The same, waited for until it answers, and ended at the end."""
    started = start(folder, words, app, **more)
    try:
        _wait(started)
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has stopped, as most tests want
            os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait(10)


def _wait(started: Running) -> None:
    def answers() -> bool:
        assert started.process.poll() is None, started.log_text()
        try:
            return started.ask("/health")[0] == 200
        except OSError:
            return False

    wait_for(answers, started.log_text)


def wait_for(condition: object, told: object = str, seconds: float = START_DEADLINE) -> None:
    """Wait until `condition()` is true; `told()` is shown where it never is."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, told()  # type: ignore[operator]
        time.sleep(0.02)


def crowd(server: Running, kinds: tuple[str, ...], clients: int = 64, requests: int = 25) -> Counter[str]:
    """What became of the requests of many clients at once, each on one connection: "ok" or what was wrong."""
    outcomes: Counter[str] = Counter()

    def client(number: int) -> None:
        connection = server.connect()
        for turn in range(requests):
            word = f"{number}x{turn}"
            path = f"/{kinds[(number + turn) % len(kinds)]}/{word}"
            try:
                status, headers, body = exchange(connection, path)
            except (http.client.HTTPException, OSError) as error:
                outcomes[repr(error)] += 1
                connection.close()
                continue
            right = status == 200 and body == f"{word} {word}".encode() and headers["X-N"] == word
            outcomes["ok" if right else f"{status} {body[:80]!r}"] += 1
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
