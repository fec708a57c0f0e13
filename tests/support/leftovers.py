"""Processes that a test left behind: found by environment, folder and descent, and ended."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

# Inherited by everything that the session starts, unless a process clears it; CARBOY_* does not reach an app.
MARKER = "STARTED_BY_TESTS"
PATIENCE = 3.0  # seconds in which a process that is already stopping may finish


def of_this_session(session: str, base: Path) -> set[psutil.Process]:
    """Our descendants, and every process that carries our marker, works in our temporary folder or was given it."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = set(psutil.Process().children(recursive=True))
    for process in psutil.process_iter():
        if process.pid not in own and _is_ours(process, session, base):
            found.add(process)
    return {process for process in found if _is_alive(process)}


def _is_ours(process: psutil.Process, session: str, base: Path) -> bool:
    try:
        if process.environ().get(MARKER) == session:
            return True
        return Path(process.cwd()).is_relative_to(base) or str(base) in " ".join(process.cmdline())
    except (psutil.Error, OSError):  # gone meanwhile, or another user's
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def still_there(processes: set[psutil.Process]) -> set[psutil.Process]:
    """Those that are alive after a moment's patience."""
    deadline = time.monotonic() + PATIENCE
    alive = {process for process in processes if _is_alive(process)}
    while alive and time.monotonic() < deadline:
        psutil.wait_procs(list(alive), timeout=0.1)
        alive = {process for process in alive if _is_alive(process)}
    return alive


def reap(processes: set[psutil.Process]) -> None:
    """Kill them, parents first, so that nothing is started again."""
    for process in sorted(processes, key=lambda one: one.pid):
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(list(processes), timeout=PATIENCE)


def names(processes: set[psutil.Process]) -> Iterator[str]:
    for process in sorted(processes, key=lambda one: one.pid):
        try:
            yield f"{process.pid}: {' '.join(process.cmdline())[:200] or process.name()}"
        except psutil.Error:
            yield f"{process.pid}: gone meanwhile"
