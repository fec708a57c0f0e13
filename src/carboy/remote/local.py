"""The connector to this machine: a command in a session of its own, watched, bounded and never left behind."""

import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping

from carboy.model.command import Command, Completed
from carboy.remote.base import OnLine
from carboy.remote.output import KeptLines, LineReader
from carboy.remote.tree import MARKER, ProcessTree

LOOK_SECONDS = 0.25  # how often the tree is looked at while the command runs
DRAIN_SECONDS = 2.0  # how long output is read after everything was ended


class LocalConnector:
    """Runs commands on this machine."""

    def run(
        self,
        command: Command,
        *,
        timeout: float,
        on_line: OnLine | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """See `Connector.run`."""
        started = time.monotonic()
        marker = uuid.uuid4().hex
        variables = {**(os.environ if environment is None else environment), **command.variables, MARKER: marker}
        try:
            process = _start(command, variables)
        except OSError as fault:
            return _cannot_start(command, fault)
        return _Run(process, marker, on_line).finish(started, timeout)


class _Run:
    """One running command and its output."""

    def __init__(self, process: "subprocess.Popen[bytes]", marker: str, on_line: OnLine | None) -> None:
        self._process = process
        self._tree = ProcessTree(process.pid, marker)
        self._on_line = on_line
        self._lock = threading.Lock()
        self._out, self._err, self._both = KeptLines(), KeptLines(), KeptLines()
        self._fault: BaseException | None = None
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = (
            LineReader(process.stdout, lambda line: self._take(self._out, line)),
            LineReader(process.stderr, lambda line: self._take(self._err, line)),
        )

    def finish(self, started: float, timeout: float) -> Completed:
        for reader in self._readers:
            reader.start()
        try:
            timed_out = not self._wait(started + timeout)
        finally:
            self._tree.kill()
            code = self._process.wait()
        self._drain()
        if self._fault is not None:
            raise self._fault
        lines = (self._out.lines(), self._err.lines(), self._both.lines())
        return Completed(code, *lines, timed_out=timed_out, seconds=time.monotonic() - started)

    def _wait(self, end: float) -> bool:
        look = min(0.02, LOOK_SECONDS)
        while (left := end - time.monotonic()) > 0 and self._fault is None:
            try:
                self._process.wait(min(look, left))
            except subprocess.TimeoutExpired:
                self._tree.watch()
                look = min(look * 2, LOOK_SECONDS)
            else:
                return True
        return self._process.poll() is not None

    def _drain(self) -> None:
        end = time.monotonic() + DRAIN_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, end - time.monotonic()))

    def _take(self, kept: KeptLines, line: str) -> None:
        with self._lock:
            kept.add(line)
            self._both.add(line)
            if self._on_line is None or self._fault is not None:
                return
            try:
                self._on_line(line)
            except Exception as fault:  # raised again in the caller's thread, once the command is ended
                self._fault = fault


def _start(command: Command, variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command.argv,
        cwd=command.folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=sys.platform != "win32",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _cannot_start(command: Command, fault: OSError) -> Completed:
    code = 127 if isinstance(fault, FileNotFoundError) else 126
    reason = fault.strerror or type(fault).__name__
    name = command.argv[0]
    with contextlib.suppress(TypeError):  # no file name in the fault: the program's own is right
        name = os.fspath(fault.filename)
    line = f"{name}: {reason}"
    return Completed(code, err=(line,), lines=(line,))
