"""`carboy up` of an unchanged project against starting Gunicorn by hand, each until every worker has answered."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Ratio, in_turn

WORKERS = 3
THREADS = 4
PATIENCE = 60.0

APP = """
import os
from flask import Flask

app = Flask(__name__)


@app.route("/")
def home():
    return str(os.getpid())
"""

PLAN = f"""
[server]
kind = "gunicorn"
worker_class = "gthread"
workers = {WORKERS}
threads = {THREADS}
"""


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def carboy(*words: str) -> None:
    command = [sys.executable, "-m", "carboy", *words]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"carboy {words[0]}: exit {done.returncode}\n{done.stderr}")


def up(project: Path) -> float:
    """Seconds until `up --detach` says that the gate has passed; the stop is not counted."""
    start = time.perf_counter()
    try:
        carboy("up", str(project), "--detach", "--json")
        return time.perf_counter() - start
    finally:
        carboy("down", str(project))


def by_hand(project: Path, python: Path) -> float:
    """Seconds until as many different workers of a Gunicorn started by hand have answered."""
    port = unused_port()
    words = [str(python), "-m", "gunicorn", "app:app", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    words += ["--workers", str(WORKERS), "--threads", str(THREADS), "--log-level", "error"]
    start = time.perf_counter()
    process = subprocess.Popen(words, cwd=project, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        wait_for_workers(port)
        return time.perf_counter() - start
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_workers(port: int) -> None:
    """Ask on new connections until every worker has been seen."""
    seen: set[bytes] = set()
    deadline = time.monotonic() + PATIENCE
    while len(seen) < WORKERS:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(seen)} of {WORKERS} workers answered")
        with contextlib.suppress(OSError):  # not listening yet
            seen.add(ask(port))
            continue
        time.sleep(0.005)


def ask(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    finally:
        connection.close()


def make_environment(folder: Path) -> Path:
    """What a person would have: a virtual environment with Flask and Gunicorn."""
    from uv import find_uv_bin

    quiet = [find_uv_bin(), "--quiet"]
    subprocess.run([*quiet, "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([*quiet, "pip", "install", "--python", str(python), "flask", "gunicorn"], check=True)
    return python


def main() -> dict[str, Ratio]:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name, "shop")
        project.mkdir()
        (project / "app.py").write_text(APP, encoding="utf-8")
        (project / "requirements.txt").write_text("flask\n", encoding="utf-8")
        (project / "carboy.toml").write_text(PLAN, encoding="utf-8")
        python = make_environment(Path(name, "environment"))
        ours, theirs = in_turn(lambda: up(project), lambda: by_hand(project, python), times=5)
    return {"carboy up, nothing changed": Ratio(ours, theirs, 1.5, "Gunicorn by hand until every worker answers")}
