"""What runs: the answer of `status` and `ps`."""

from dataclasses import dataclass
from typing import Literal

State = Literal["starting", "running", "backing-off", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One started process. `since` is seconds since the epoch, `memory` bytes of its whole tree, `pids` the tree."""

    name: str
    instance: int
    state: State
    pid: int | None
    restarts: int
    since: float
    memory: int | None = None
    pids: tuple[int, ...] = ()
    exit: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one project on this machine."""

    name: str
    tier: str
    state: State
    url: str | None
    release: int | None
    server: str | None
    pid: int | None
    since: float | None
    processes: tuple[ProcessStatus, ...] = ()
    health: str | None = None
