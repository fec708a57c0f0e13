"""Threads for the WSGI app behind an ASGI server: as many as the plan says, and never in the way of an exit.

Not a ThreadPoolExecutor: Python joins its threads at exit, so one request that hangs would hold up the stop for ever.
"""

import os
import sys
import threading
import traceback
from queue import Empty, SimpleQueue
from typing import Callable

Job = Callable[[], None]


class Pool:
    """At most `size` daemon threads, started when needed; jobs beyond that wait in their order."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._fresh()

    def _fresh(self) -> None:
        self._pid = os.getpid()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self.started = 0

    def submit(self, job: Job) -> None:
        """Run `job` in a thread, soon."""
        if self._pid != os.getpid():
            self._fresh()  # threads do not live through a fork
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False):
            self._start_one()

    def _start_one(self) -> None:
        with self._lock:
            if self.started >= self.size:
                return
            self.started += 1
            number = self.started
        threading.Thread(target=self._work, name=f"carboy-app-{number}", daemon=True).start()

    def _work(self) -> None:
        jobs, idle = self._jobs, self._idle
        while True:
            try:
                job = jobs.get_nowait()
            except Empty:
                idle.release()
                job = jobs.get()
            try:
                job()
            except BaseException:  # a thread lost is a place lost for the rest of the process's life
                traceback.print_exc(file=sys.stderr)
            del job
