"""The processes that a command started, however far they ran from it."""

import contextlib
import os
import time
from collections.abc import Iterator

import psutil

MARKER = "CARBOY_RUN_MARKER"
SWEEP_SECONDS = 5.0


class ProcessTree:
    """Follows the tree of one started process.

    A daemon leaves its parent and its session, but keeps the environment it was forked with: the marker in it finds
    it again. One that was executed with an emptied environment is found when `watch` saw it as a descendant before.
    """

    def __init__(self, pid: int, marker: str) -> None:
        self._pid = pid
        self._marker = marker
        self._since = time.time() - 2
        self._known: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):  # already gone: what it left is found by the marker
            self._known[pid] = psutil.Process(pid)

    def watch(self) -> None:
        """Remember the descendants of now."""
        for process in list(self._known.values()):
            with contextlib.suppress(psutil.Error):  # ended meanwhile: nothing to remember
                for child in process.children(recursive=True):
                    self._known.setdefault(child.pid, child)

    def kill(self) -> int:
        """Kill everything that is left, until a look finds nothing more; returns how many were killed."""
        killed: set[int] = set()
        end = time.monotonic() + SWEEP_SECONDS
        while time.monotonic() < end:
            living = list(self._living())
            if not living:
                break
            for process in living:
                with contextlib.suppress(psutil.Error):  # ended between the look and the kill
                    process.kill()
                    killed.add(process.pid)
            _until_ended(living)
        return len(killed)

    def _living(self) -> Iterator[psutil.Process]:
        self.watch()
        known = set(self._known)
        for process in self._known.values():
            if _runs(process):
                yield process
        for process in psutil.process_iter():
            if process.pid not in known and process.pid != os.getpid() and self._is_ours(process):
                yield process

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.create_time() < self._since or not _runs(process):
                return False
            return _session(process.pid) == self._pid or process.environ().get(MARKER) == self._marker
        except (psutil.Error, OSError):
            return False


def _until_ended(processes: list[psutil.Process]) -> None:
    # psutil's own waiting would collect the exit status of our child before its owner does.
    end = time.monotonic() + 0.2
    while any(_runs(process) for process in processes) and time.monotonic() < end:
        time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _session(pid: int) -> int | None:
    getsid = getattr(os, "getsid", None)
    if getsid is None:
        return None
    try:
        return int(getsid(pid))
    except OSError:
        return None
