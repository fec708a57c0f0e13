"""Whether this process is stopping.

SIGTERM stays with the server: its handler is kept and called; ours only notes the moment, so that `/ready` says no.
docs/contract.md says what each server does by itself.
"""

import os
import signal
import threading
from types import FrameType
from typing import Any, Optional

_NOTED = "flask_carboy notes the stop"


class Drain:
    """The state of one process; after a fork the child starts anew."""

    __slots__ = ("_pid", "active")

    def __init__(self) -> None:
        self._pid = 0
        self.active = False

    def begin(self) -> None:
        """From now on this process is not ready."""
        self.active = True

    def watch(self) -> bool:
        """Note SIGTERM in front of the server's own handler; False where that cannot be done (yet).

        Servers install their handlers after a fork, some after they have loaded the app: so this is called when the
        app is wrapped, at the start of the event loop and at the first request, and does its work once.
        """
        if self._pid == os.getpid():
            return True
        if threading.current_thread() is not threading.main_thread():
            return False
        previous = signal.getsignal(signal.SIGTERM)
        if not callable(previous):
            return False  # no handler yet, or one in C: a handler of ours alone would keep the process alive
        self.active = False
        self._pid = os.getpid()
        if not hasattr(previous, "carboy_note"):
            _chain(self, previous)
        return True


def _chain(drain: Drain, previous: Any) -> None:
    def note(number: int, frame: Optional[FrameType]) -> None:
        drain.active = True
        previous(number, frame)

    note.carboy_note = _NOTED  # type: ignore[attr-defined]
    try:
        signal.signal(signal.SIGTERM, note)
    except ValueError:
        drain._pid = 0  # main thread of a subinterpreter


DRAIN = Drain()
