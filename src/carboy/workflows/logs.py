"""`carboy logs`: the one stream of all processes, filtered, and followed over rotation and restarts."""

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carboy.errors import UsageFault
from carboy.targets.local.logbook import parse, read_entries
from carboy.workflows.project import open_state

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
POLL = 0.1


@dataclass(frozen=True)
class LogFilter:
    """What is shown; None or empty lets everything through. `since` is seconds since the epoch."""

    processes: tuple[str, ...] = ()
    since: float | None = None
    release: int | None = None
    text: str | None = None

    def lets_through(self, item: dict[str, Any]) -> bool:
        return (
            (not self.processes or item.get("process") in self.processes)
            and (self.since is None or item.get("time", 0) >= self.since)
            and (self.release is None or item.get("release") == self.release)
            and (self.text is None or self.text in item.get("line", ""))
        )


def span(text: str, *, now: float) -> float:
    """`90s`, `15m`, `2h`, `1d` ago as seconds since the epoch. Raises UsageFault at anything else."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise UsageFault("not a time span", where=f"--since {text}", hint="--since 15m (units: s, m, h, d)")
    return now - float(found[1]) * _SECONDS[found[2]]


def last_entries(path: Path, wanted: LogFilter, most: int) -> list[dict[str, Any]]:
    """The last `most` entries that the filter lets through, oldest first."""
    folder = open_state(path)
    return list(deque((item for item in read_entries(folder.log) if wanted.lets_through(item)), maxlen=most))


def follow(path: Path, wanted: LogFilter, *, going_on: Callable[[], bool] = lambda: True) -> Iterator[dict[str, Any]]:
    """New entries as they come, while `going_on`; the file may be rotated or not be there yet."""
    log = open_state(path).log
    stream = log.open(encoding="utf-8", errors="replace") if log.exists() else None
    if stream is not None:
        stream.seek(0, 2)
    pending = ""
    while going_on():
        chunk = stream.read() if stream is not None else ""
        *lines, pending = (pending + chunk).split("\n")
        yield from (item for item in parse(lines) if wanted.lets_through(item))
        if chunk:
            continue
        if log.exists() and (stream is None or log.stat().st_ino != _inode(stream.fileno())):
            stream, pending = log.open(encoding="utf-8", errors="replace"), ""
            continue
        time.sleep(POLL)


def _inode(descriptor: int) -> int:
    return os.fstat(descriptor).st_ino
