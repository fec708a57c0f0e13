"""What this machine grants to this process: processors and memory after the limits of its cgroups.

A container, a systemd unit or a batch job may have a small part of the machine, and no call of the standard library
says so before Python 3.13. Limits nest: each folder from the process's own cgroup up to the mount can be the tightest.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from carboy.model.host import Host

_ROOT = Path("/")


class _Mount(NamedTuple):
    """Where one cgroup hierarchy is seen: `within` is the part of the hierarchy that `folder` shows."""

    folder: Path
    within: str
    version: int
    controllers: frozenset[str]


def this_host() -> Host:
    """Read processors and memory of the machine that this process runs on."""
    return host_of(_ROOT, processors=_processors(), memory=psutil.virtual_memory().total, system=_system())


def host_of(root: Path, *, processors: int, memory: int, system: str = "linux") -> Host:
    """Lower the machine's `processors` and `memory` by the cgroups that are seen below `root`."""
    folders = list(_folders(root)) if system == "linux" else []
    quota = min((limit for version, folder in folders if (limit := _quota(version, folder))), default=None)
    limit = min((limit for version, folder in folders if (limit := _limit(version, folder))), default=None)
    by_quota = quota is not None and quota < processors
    by_limit = limit is not None and limit < memory
    return Host(
        cpus=quota if quota is not None and by_quota else float(processors),
        memory=limit if limit is not None and by_limit else memory,
        cpus_from="cgroup" if by_quota else "machine",
        memory_from="cgroup" if by_limit else "machine",
        system=system,
        somaxconn=_somaxconn(root, system),
    )


def _somaxconn(root: Path, system: str) -> int:
    """Linux says so itself, and each network namespace has its own; elsewhere 128 is the traditional limit."""
    text = _word(root / "proc/sys/net/core/somaxconn")
    return int(text) if text.isdigit() else 4096 if system == "linux" else 128


def _processors() -> int:
    # The affinity mask holds the cpuset as well; macOS and Windows have no such call.
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _system() -> str:
    return "windows" if sys.platform == "win32" else "darwin" if sys.platform == "darwin" else "linux"


def _folders(root: Path) -> Iterator[tuple[int, Path]]:
    """Yield every cgroup folder that limits this process, its own first, with the version of its hierarchy."""
    own = dict(_own_paths(root))
    for mount in _mounts(root):
        path = own.get("") if mount.version == 2 else next((own[c] for c in mount.controllers if c in own), None)
        if path is None:
            continue
        for folder in _upward(mount, path):
            yield mount.version, folder


def _own_paths(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (controller, path) of this process; the controller of version 2 is empty."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(" "), after.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            folder = root / fields[4].replace("\\040", " ").lstrip("/")
            yield _Mount(folder, fields[3], 2 if kind == "cgroup2" else 1, frozenset(options.split(",")))


def _upward(mount: _Mount, path: str) -> Iterator[Path]:
    # In a container without a cgroup namespace the path is the host's, and the mount shows that very part of it.
    inside = path.removeprefix(mount.within) if mount.within != "/" else path
    parts = [part for part in inside.split("/") if part not in {"", ".."}]
    for length in range(len(parts), -1, -1):
        folder = mount.folder.joinpath(*parts[:length])
        if folder.is_dir():
            yield folder


def _quota(version: int, folder: Path) -> float | None:
    if version == 2:
        quota, _, period = _word(folder / "cpu.max").partition(" ")
    else:
        quota, period = _word(folder / "cpu.cfs_quota_us"), _word(folder / "cpu.cfs_period_us")
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None  # "max" and -1 are no limit
    return int(quota) / int(period) or None


def _limit(version: int, folder: Path) -> int | None:
    text = _word(folder / ("memory.max" if version == 2 else "memory.limit_in_bytes"))
    return int(text) or None if text.isdigit() else None


def _word(path: Path) -> str:
    return next(iter(_lines(path)), "")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []  # not there in this version, or hidden from this user: no limit that we could know of
