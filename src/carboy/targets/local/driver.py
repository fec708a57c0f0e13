"""Acts on this machine: starts the supervisor, stops it, and says what runs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from carboy.errors import Failed, NeedsHuman
from carboy.model.status import ProcessStatus, State, Status
from carboy.targets.local.specification import Specification
from carboy.targets.local.state import StateFolder, read_json, write_json

STOP_MARGIN = 15.0  # seconds beyond the longest stop timeout


def running_state(folder: StateFolder) -> dict[str, Any] | None:
    """The supervisor's own account, or None where none runs. A state file left by a crash is recognised."""
    state = read_json(folder.running)
    if state is None or not _is_supervisor(int(state.get("pid", 0)), float(state.get("since", 0))):
        return None
    return state


def _is_supervisor(pid: int, since: float) -> bool:
    """Whether `pid` is the process that wrote the state, and not a later one of the same number."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= since + 2
    except (psutil.Error, ValueError):
        return False


def start(folder: StateFolder, specification: Specification) -> int:
    """Start the supervisor in the background and return its process id. The specification goes through a pipe."""
    end_orphans(folder)
    with folder.supervisor_log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-m", "carboy.targets.local.supervisor"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder.root,
            start_new_session=True,
        )
    if process.stdin is None:
        raise Failed("the supervisor has no standard input", where="start")
    with process.stdin, contextlib.suppress(BrokenPipeError):
        process.stdin.write(specification.to_json().encode())
    _wait_until_it_reports(folder, process)
    return process.pid


def _wait_until_it_reports(folder: StateFolder, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if folder.running.exists():
            process.returncode = 0  # ours no more: it outlives this command
            return
        if process.poll() is not None:
            break
        time.sleep(0.005)
    tail = folder.supervisor_log.read_text(errors="replace").splitlines()[-5:]
    raise Failed(
        "the supervisor did not start", where="start", details=tuple(tail), hint=f"read {folder.supervisor_log}"
    )


def stop(folder: StateFolder, *, on_wait: Callable[[float], None] = lambda _: None) -> bool:
    """Stop everything that runs; False where nothing ran. Raises NeedsHuman where something will not end."""
    state = running_state(folder)
    if state is None:
        return end_orphans(folder)
    pid = int(state["pid"])
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    longest = float(state.get("extra", {}).get("stop_timeout", 30)) + STOP_MARGIN
    _wait_for_end(pid, float(state["since"]), longest, on_wait)
    folder.running.unlink(missing_ok=True)
    return True


def end_orphans(folder: StateFolder) -> bool:
    """End the processes that a killed supervisor left behind; whether there were any."""
    state = read_json(folder.running) or {}
    left: list[psutil.Process] = []
    for item in state.get("processes", []):
        with contextlib.suppress(psutil.Error, TypeError):
            process = psutil.Process(item["pid"])
            if item["pid"] is not None and process.create_time() <= item["since"] + 2:
                left += [process, *process.children(recursive=True)]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=5)
    folder.running.unlink(missing_ok=True)
    return bool(left)


def web_environment(folder: StateFolder) -> dict[str, str] | None:
    """What the running web process was started with, where the system tells; for starting it again as it was."""
    for item in (running_state(folder) or {}).get("processes", []):
        with contextlib.suppress(psutil.Error):
            if item["name"] == "web" and item["pid"] is not None:
                return dict(psutil.Process(item["pid"]).environ())
    return None


def _wait_for_end(pid: int, since: float, longest: float, on_wait: Callable[[float], None]) -> None:
    begun = time.monotonic()
    while _is_supervisor(pid, since):
        waited = time.monotonic() - begun
        if waited > longest:
            raise NeedsHuman(
                f"process {pid} does not end", where="stop", hint=f"look at it, then end it with: kill -9 {pid}"
            )
        on_wait(waited)
        time.sleep(0.02)
    with contextlib.suppress(ChildProcessError):  # in the foreground it is a child of ours, and wants to be reaped
        os.waitpid(pid, os.WNOHANG)


def status_of(folder: StateFolder, name: str) -> Status:
    """What runs, with memory and processor use of each process tree."""
    state = running_state(folder)
    if state is None:
        return Status(name, "production", "stopped", None, None, None, None, None)
    processes = tuple(_process_status(item) for item in state["processes"])
    worst: State = "running" if all(p.state == "running" for p in processes) else "backing-off"
    return Status(
        name=state["name"],
        tier=state["tier"],
        state=worst,
        url=state["url"],
        release=state["release"],
        server=state["server"],
        pid=state["pid"],
        since=state["since"],
        processes=processes,
    )


def _process_status(item: dict[str, Any]) -> ProcessStatus:
    pids = _tree(item["pid"]) if item["pid"] else []
    return ProcessStatus(
        name=item["name"],
        instance=item["instance"],
        state=item["state"],
        pid=item["pid"],
        restarts=item["restarts"],
        since=item["since"],
        memory=_memory(pids) if pids else None,
        pids=tuple(p.pid for p in pids),
        exit=item["exit"],
    )


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(processes: list[psutil.Process]) -> int:
    """Bytes of the tree; what its processes share is counted for each, as `ps` does."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += int(process.memory_info().rss)
    return total


def listening_ports(pids: Iterable[int]) -> set[int]:
    """TCP ports that these processes listen on."""
    found: set[int] = set()
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            connections = psutil.Process(pid).net_connections(kind="tcp")
            found.update(each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN)
    return found


@contextmanager
def locked(folder: StateFolder, word: str) -> Iterator[None]:
    """Hold the project's lock; a second command is refused and told who holds it, a dead owner's is taken over."""
    mine = {"pid": os.getpid(), "since": psutil.Process().create_time(), "word": word, "time": time.time()}
    _take(folder.lock, mine)
    try:
        yield
    finally:
        held = read_json(folder.lock)
        if held is not None and held.get("pid") == mine["pid"]:
            folder.lock.unlink(missing_ok=True)


def _take(path: Path, mine: dict[str, Any]) -> None:
    for _ in range(3):
        beside = path.with_name(f"{path.name}.{mine['pid']}")
        write_json(beside, mine)
        try:
            os.link(beside, path)  # fails where the lock is there: one winner, and never an empty lock
        except FileExistsError:
            _refuse_or_clear(path)
        else:
            return
        finally:
            beside.unlink(missing_ok=True)
    raise Failed("the lock changes hands too fast", where=str(path), hint="try again")


def _refuse_or_clear(path: Path) -> None:
    """Raises Failed where the holder lives; a dead holder's lock is moved away, and only that very one."""
    held = read_json(path)
    with contextlib.suppress(psutil.Error, TypeError, KeyError, ValueError):
        if held is not None and abs(psutil.Process(int(held["pid"])).create_time() - float(held["since"])) < 1:
            raise Failed(
                f"carboy {held['word']} is at work here (process {held['pid']})",
                where="lock",
                hint="wait for it to end, then try again",
            )
    away = path.with_name(f"{path.name}.dead.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(away)
        if read_json(away) != held:  # another one took it over meanwhile: give it back
            with contextlib.suppress(FileExistsError):
                os.link(away, path)
        away.unlink(missing_ok=True)
