"""What a machine offers, as the sizing of servers needs it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """`cpus` after the cgroup's quota (0.5 is half a core), `memory` in bytes after the cgroup's limit."""

    cpus: float
    memory: int
    cpus_from: str = "machine"  # machine | cgroup
    memory_from: str = "machine"
    system: str = "linux"  # linux darwin windows
    somaxconn: int = 4096  # the longest queue of waiting connections that its kernel allows
