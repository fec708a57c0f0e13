"""A real server, started as a target starts it, with an environment of its own."""

import contextlib
import hashlib
import http.client
import importlib.util
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from carboy.model.host import Host
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.servers.base import launch
from tests.support.ports import unused_port

APPS = Path(__file__).parent / "apps"
START_DEADLINE = 30.0
TOKEN = "of-this-test"
HOST = Host(cpus=2, memory=8 * 1024**3)


def environment(requirements: Sequence[str], python: str = sys.executable) -> Path:
    """The folder of programs of an environment with these requirements, made once and kept for later runs."""
    root = Path(os.environ.get("CARBOY_TEST_CACHE", "~/.cache/carboy-tests")).expanduser()
    wanted = "\n".join(sorted(requirements))
    name = hashlib.sha256(f"{sys.version}\n{python}\n{wanted}".encode()).hexdigest()[:16]
    folder = root / f"servers-{name}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--python", python, str(folder)], check=True, timeout=120)
        install = [*uv, "pip", "install", "--python", str(folder / "bin/python"), *sorted(requirements)]
        subprocess.run(install, check=True, timeout=300)
        (folder / "complete").write_text(wanted, encoding="utf-8")
    return folder / "bin"


@dataclass
class Served:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    launched: Launch
    port: int
    home: Path
    scratch: Path
    log: Path
    socket: str | None = None

    def connection(self) -> http.client.HTTPConnection:
        """A new connection to where the server listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if self.socket is not None:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(20)
            try:
                connection.sock.connect(self.socket)
            except OSError:
                connection.close()
                raise
        return connection

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        connection = self.connection()
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def tree(self) -> list[psutil.Process]:
        """The server's processes."""
        try:
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def began(self) -> int:
        """How many slow views have begun."""
        return len(list(self.scratch.glob("began-*")))

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def serving(plan: Plan, bin_folder: Path, tmp_path: Path, *, unix: bool = False) -> Iterator[Served]:
    """Start the plan's server with the app in `tests/system/apps/hello`, and end it at the end."""
    folders = _folders(tmp_path, "hello")
    port = unused_port()
    listen = Listen(socket=str(folders["run"] / "app.sock")) if unix else Listen(port=port)
    paths = Paths(str(bin_folder), str(folders["artifacts"]), str(folders["source"]), str(folders["run"]))
    launched = launch(plan, HOST, listen, paths)
    for artifact in launched.artifacts:
        (folders["artifacts"] / artifact.path).write_text(artifact.text, encoding="utf-8")
    values = _variables(plan, launched, folders)
    log = tmp_path / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            launched.argv, cwd=folders["source"], env=values, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip
    served = Served(process, launched, port, folders["home"], folders["scratch"], log, listen.socket)
    try:
        wait_until(lambda: answers(served), START_DEADLINE, served)
        seen: set[str | None] = set()
        wait_until(lambda: len(_add(seen, served)) >= launched.workers, START_DEADLINE, served)
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):  # gone already, as it should be after a stop
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def answers(served: Served) -> bool:
    """Whether the health route answers 200."""
    if served.process.poll() is not None:
        raise AssertionError(f"the server ended with {served.process.returncode}:\n{served.log_text()}")
    try:
        return served.get("/health")[0] == 200
    except OSError:
        return False


def _add(seen: set[str | None], served: Served) -> set[str | None]:
    seen |= _workers(served)
    return seen


def _workers(served: Served) -> set[str | None]:
    """The workers that answer, asked at once and for something slow, so that they come from different ones.

    A test that does not wait for all of them stops servers half-way through their start.
    """

    def ask(_number: int) -> str | None:
        connection = served.connection()
        try:
            connection.request("GET", "/wait", headers={"X-Carboy-Gate": TOKEN})
            response = connection.getresponse()
            response.read()
            return response.getheader("X-Carboy-Worker")
        finally:
            connection.close()

    at_once = 4 * served.launched.workers
    with ThreadPoolExecutor(at_once) as pool:
        return set(pool.map(ask, range(at_once)))


def wait_until(condition: Callable[[], object], seconds: float, served: Served) -> None:
    """Wait for `condition()` to be true."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s:\n{served.log_text()[-4000:]}")
        time.sleep(pause)


def _folders(tmp_path: Path, app: str) -> dict[str, Path]:
    folders = {name: tmp_path / name for name in ("artifacts", "run", "home", "scratch", "runtime", "source")}
    for name in ("artifacts", "run", "home", "scratch", "runtime"):
        folders[name].mkdir(parents=True)
    shutil.copytree(APPS / app, folders["source"])
    extension = importlib.util.find_spec("flask_carboy")
    assert extension is not None
    assert extension.origin is not None
    shutil.copytree(Path(extension.origin).parent, folders["runtime"] / "flask_carboy")
    with contextlib.closing(sqlite3.connect(folders["scratch"] / "hello.db")) as database:
        database.execute("create table greetings (greeting text)")
        database.execute("insert into greetings values ('from the database')")
        database.commit()
    return folders


def _variables(plan: Plan, launched: Launch, folders: Mapping[str, Path]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "STARTED_BY_TESTS") if name in os.environ}
    return {
        **inherited,
        "HOME": str(folders["home"]),
        "HELLO_SCRATCH": str(folders["scratch"]),
        "PYTHONPATH": str(folders["runtime"]),
        "CARBOY_GATE_TOKEN": TOKEN,
        "CARBOY_APP": plan.app.ref or "",
        "CARBOY_TRUSTED_HOPS": str(plan.proxy.trusted),
        **launched.variables,
    }
