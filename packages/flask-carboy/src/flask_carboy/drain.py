"""Whether this process is stopping.

SIGTERM stays with the server: its handler is kept and called; ours only notes the moment, so that `/ready` says no.
docs/contract.md says what each server does by itself.
"""

import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any, Optional


class Drain:
    """The state of one process; after a fork the child starts anew."""

    def __init__(self) -> None:
        self._chained_in = self._listens_in = 0  # process ids
        self.active = False
        # Whether a WSGI response may say "Connection: close": most servers do that by themselves, some refuse it.
        self.tells_clients = False

    def begin(self) -> None:
        """From now on this process is not ready."""
        self.active = True

    def watch(self, in_loop: bool = False) -> None:
        """Note SIGTERM in front of the server's own handler, where and when that can be done.

        Servers install their handlers after a fork, some after they have loaded the app: so this is called when the
        app is wrapped, at the first request and (`in_loop`) inside an event loop, and does its work once.
        """
        process = os.getpid()
        if self._chained_in == process or threading.current_thread() is not threading.main_thread():
            return
        if "granian" in sys.modules and not in_loop:
            if self._listens_in != process:
                self._listens_in = process
                self._listen()
            return
        previous = signal.getsignal(signal.SIGTERM)
        if callable(previous):  # else a handler of ours alone would keep the process alive
            self._chained_in = process
            self.active = False
            _chain(self, previous)

    def _listen(self) -> None:
        # Granian's WSGI workers install their handler after the app and call us in threads only. But Python writes
        # every signal's number to the wakeup descriptor, whoever handles it.
        self.active = False
        self.tells_clients = True  # Granian goes on answering kept-alive connections (its issue 548)
        ours, pythons = socket.socketpair()
        pythons.setblocking(False)
        signal.set_wakeup_fd(pythons.detach(), warn_on_full_buffer=False)
        threading.Thread(target=self._hear, args=(ours,), name="carboy-drain", daemon=True).start()

    def _hear(self, ours: socket.socket) -> None:
        while not self.active:
            self.active = signal.SIGTERM in ours.recv(64)


def _chain(drain: Drain, previous: Any) -> None:
    if hasattr(previous, "carboy_note"):
        return  # inherited through a fork

    def note(number: int, frame: Optional[FrameType]) -> None:
        drain.active = True
        previous(number, frame)

    note.carboy_note = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, note)


DRAIN = Drain()
