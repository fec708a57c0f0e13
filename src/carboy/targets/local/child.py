"""One process under the supervisor: started in a session of its own, its output read by lines, restarted slowly.

Standard library only: the supervisor stays small.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from carboy.targets.local.descendants import die_with_parent, kill_group
from carboy.targets.local.specification import ProcessSpecification

FIRST_DELAY = 1.0  # seconds before the first restart; doubled each time
LONGEST_DELAY = 30.0
STABLE_AFTER = 60.0  # seconds a process must have lived for its delay to be forgotten
READ_SIZE = 65_536
LONGEST_PENDING = 1_000_000  # bytes without a line break before they are logged as they are


class Child:
    """Keeps one process of the specification."""

    def __init__(
        self,
        wanted: ProcessSpecification,
        selector: selectors.BaseSelector,
        log: Callable[["Child", str, str], None],
    ) -> None:
        self.wanted = wanted
        self.pid: int | None = None
        self.restarts = 0
        self.since = time.time()
        self.exit: str | None = None
        self._selector = selector
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._pending: dict[int, bytes] = {}
        self._delay = FIRST_DELAY
        self._due: float | None = None
        self._born = 0.0
        self._killed = False

    def start(self) -> None:
        """Start it; a program that cannot be started counts as one that ended at once."""
        self._due = None
        self._born = time.monotonic()
        self.since = time.time()
        try:
            process = subprocess.Popen(
                self.wanted.argv,
                cwd=self.wanted.folder,
                env=self.wanted.variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
            )
        except OSError as fault:
            self._log(self, "carboy", f"cannot be started: {fault}")
            self.ended(127, stopping=False)
            return
        self._process, self.pid = process, process.pid
        for stream, pipe in (("out", process.stdout), ("err", process.stderr)):
            if pipe is not None:
                self._watch(pipe.fileno(), stream)

    def _watch(self, descriptor: int, stream: str) -> None:
        os.set_blocking(descriptor, False)
        self._pending[descriptor] = b""
        self._selector.register(descriptor, selectors.EVENT_READ, lambda d=descriptor, s=stream: self._read(d, s))

    def _read(self, descriptor: int, stream: str) -> None:
        try:
            data = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._unwatch(descriptor, stream)
            return
        *lines, rest = (self._pending[descriptor] + data).split(b"\n")
        if len(rest) > LONGEST_PENDING:
            lines.append(rest)
            rest = b""
        self._pending[descriptor] = rest
        for line in lines:
            self._log(self, stream, line.rstrip(b"\r").decode("utf-8", "replace"))

    def _unwatch(self, descriptor: int, stream: str) -> None:
        rest = self._pending.pop(descriptor, b"")
        if rest:
            self._log(self, stream, rest.decode("utf-8", "replace"))
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(descriptor)

    def ended(self, code: int, *, stopping: bool) -> None:
        """Note how it ended, end its leftovers, and plan the restart."""
        if self.pid is not None:
            kill_group(self.pid)
        self.pid = None
        self._drain_output()
        self.exit = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if stopping:
            return
        if time.monotonic() - self._born > STABLE_AFTER:
            self._delay = FIRST_DELAY
        self._due = time.monotonic() + self._delay
        self._log(self, "carboy", f"ended with {self.exit}; starts again in {self._delay:.0f} s")
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def _drain_output(self) -> None:
        """Take what is still in the pipes. Grandchildren may hold them open: what is there now is enough."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream, pipe in (("out", process.stdout), ("err", process.stderr)):
            if pipe is None:
                continue
            while pipe.fileno() in self._pending and selectors_ready(pipe.fileno()):
                self._read(pipe.fileno(), stream)
            if pipe.fileno() in self._pending:
                self._unwatch(pipe.fileno(), stream)
            pipe.close()
        process.returncode = 0  # reaped by the supervisor's own wait

    def restart_if_due(self) -> None:
        if self._due is not None and time.monotonic() >= self._due:
            self.restarts += 1
            self.start()

    def ask_to_stop(self) -> None:
        self._due = None
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.Signals[self.wanted.stop_signal])

    def kill_if_overdue(self, asked: float) -> None:
        """`asked` is when it was told to stop, on the monotonic clock."""
        if self.pid is None or self._killed or time.monotonic() - asked <= self.wanted.stop_timeout:
            return
        self._killed = True
        self._log(self, "carboy", f"did not stop within {self.wanted.stop_timeout:.0f} s and was killed")
        kill_group(self.pid)

    def close(self) -> None:
        self._drain_output()

    def state(self) -> dict[str, Any]:
        return {
            "name": self.wanted.name,
            "instance": self.wanted.instance,
            "state": "running" if self.pid is not None else "backing-off" if self._due is not None else "stopped",
            "pid": self.pid,
            "restarts": self.restarts,
            "since": self.since,
            "exit": self.exit,
        }


def selectors_ready(descriptor: int) -> bool:
    """Whether reading would give something, the end included, without waiting."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))
