"""The one resident process of a project on this machine: starts, restarts and stops its processes, keeps their logs.

Run as `python -m carboy.targets.local.supervisor` with a specification on standard input. Standard library and model
only, one thread, no more memory than a bare interpreter. It ends when told to (SIGTERM, SIGINT), after its processes.
"""

import contextlib
import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from carboy.targets.local.child import Child
from carboy.targets.local.descendants import adopt_orphans, kill_descendants
from carboy.targets.local.logbook import Logbook, entry
from carboy.targets.local.specification import Specification, from_json

TICK = 0.5  # seconds between looks at timers when nothing happens


class Supervisor:
    """Keeps the processes of one release running until it is told to stop."""

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self.logbook = Logbook(
            Path(specification.log), max_bytes=specification.log_max_bytes, keep=specification.log_keep
        )
        self.selector = selectors.DefaultSelector()
        self.children = [Child(wanted, self.selector, self._log) for wanted in specification.processes]
        self.started = time.time()
        self.stopping = False
        self._written = ""

    def run(self) -> None:
        """Serve until stopped; nothing that it started is left when this returns."""
        self._listen_to_signals()
        adopt_orphans()
        for child in self.children:
            child.start()
        self._write_state()
        while not self.stopping:
            self._turn(TICK)
            for child in self.children:
                child.restart_if_due()
            self._write_state()
        self._stop_all()

    def _listen_to_signals(self) -> None:
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self.selector.register(reader, selectors.EVENT_READ, None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal it was started from may close
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _turn(self, timeout: float) -> None:
        """Read what is there to read, and reap whoever ended."""
        for key, _ in self.selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 4096)
            else:
                key.data()
        self._reap()

    def _reap(self) -> None:
        by_pid = {child.pid: child for child in self.children if child.pid is not None}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in by_pid:
                by_pid[pid].ended(os.waitstatus_to_exitcode(status), stopping=self.stopping)

    def _stop_all(self) -> None:
        """Ask each to stop, wait as long as it may take, then end what is left, adopted orphans included."""
        now = time.monotonic()
        for child in self.children:
            child.ask_to_stop()
        self._write_state()
        while any(child.pid is not None for child in self.children):
            self._turn(0.1)
            for child in self.children:
                child.kill_if_overdue(now)
        kill_descendants()
        self._turn(0)
        for child in self.children:
            child.close()
        self._write_state()
        self.logbook.close()

    def _log(self, child: Child, stream: str, line: str) -> None:
        wanted = child.wanted
        self.logbook.write(entry(wanted.name, wanted.instance, self.specification.release, stream, line))

    def _write_state(self) -> None:
        """Write what runs, beside and renamed, and only when it changed."""
        specification = self.specification
        state: dict[str, Any] = {
            "schema": 1,
            "name": specification.name,
            "tier": specification.tier,
            "release": specification.release,
            "url": specification.url,
            "server": specification.server,
            "pid": os.getpid(),
            "since": self.started,
            "stopping": self.stopping,
            "extra": specification.extra,
            "processes": [child.state() for child in self.children],
        }
        text = json.dumps(state)
        if text == self._written:
            return
        path = Path(specification.state)
        beside = path.with_name(f"{path.name}.new")
        with contextlib.suppress(OSError):  # a full disk: tried again at the next turn
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
            self._written = text


def main() -> None:
    """Read the specification and run it."""
    specification = from_json(sys.stdin.read())
    sys.stdin.close()
    os.umask(specification.umask)
    Supervisor(specification).run()


if __name__ == "__main__":
    main()
