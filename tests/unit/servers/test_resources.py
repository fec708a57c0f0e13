"""What a machine grants, read from trees as real machines have them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from carboy.model.host import Host
from carboy.workflows.resources import host_of, this_host

pytestmark = pytest.mark.requirement("S8")

GIB = 1024**3
V2 = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_CPU = "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
V1_MEMORY = "35 31 0:32 {root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"


def host(tmp_path: Path, own: str, mounts: str, files: Mapping[str, str]) -> Host:
    for name, text in {"proc/self/cgroup": own, "proc/self/mountinfo": mounts, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return host_of(tmp_path, processors=8, memory=16 * GIB)


def test_a_machine_without_limits(tmp_path: Path) -> None:
    """`max` is no limit, and a machine without cgroups has none."""
    bare = host_of(tmp_path, processors=8, memory=16 * GIB)
    assert (bare.cpus, bare.memory, bare.cpus_from, bare.memory_from) == (8.0, 16 * GIB, "machine", "machine")
    files = {"sys/fs/cgroup/a.slice/cpu.max": "max 100000\n", "sys/fs/cgroup/a.slice/memory.max": "max\n"}
    assert host(tmp_path, "0::/a.slice\n", V2, files) == bare


def test_version_2_in_a_container(tmp_path: Path) -> None:
    """A container sees its own cgroup as the root."""
    files = {"sys/fs/cgroup/cpu.max": "50000 100000\n", "sys/fs/cgroup/memory.max": f"{GIB}\n"}
    seen = host(tmp_path, "0::/\n", V2, files)
    assert (seen.cpus, seen.memory, seen.cpus_from, seen.memory_from) == (0.5, GIB, "cgroup", "cgroup")


def test_the_tightest_of_nested_limits_holds(tmp_path: Path) -> None:
    """A slice around a unit limits it too, whichever of the two is the smaller for each resource."""
    files = {
        "sys/fs/cgroup/a.slice/cpu.max": "100000 100000\n",
        "sys/fs/cgroup/a.slice/memory.max": f"{4 * GIB}\n",
        "sys/fs/cgroup/a.slice/shop.service/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/a.slice/shop.service/memory.max": f"{GIB}\n",
    }
    seen = host(tmp_path, "0::/a.slice/shop.service\n", V2, files)
    assert (seen.cpus, seen.memory) == (1.0, GIB)


def test_version_1_with_the_path_of_the_host(tmp_path: Path) -> None:
    """Docker without a cgroup namespace shows the host's path, and mounts just that part of the tree."""
    mounts = V1_CPU.format(root="/docker/ab") + V1_MEMORY.format(root="/docker/ab")
    files = {
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
    }
    seen = host(tmp_path, "4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n1:name=systemd:/\n", mounts, files)
    assert (seen.cpus, seen.memory) == (1.5, 2 * GIB)


def test_version_1_without_a_limit(tmp_path: Path) -> None:
    """A quota of -1 and the largest number a page counter holds are no limits."""
    files = {
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    mounts = V1_CPU.format(root="/") + V1_MEMORY.format(root="/")
    seen = host(tmp_path, "4:memory:/\n3:cpu,cpuacct:/\n", mounts, files)
    assert (seen.cpus, seen.memory, seen.memory_from) == (8.0, 16 * GIB, "machine")


def test_both_versions_at_once(tmp_path: Path) -> None:
    """Where version 2 has no controllers, version 1 beside it decides."""
    mounts = V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified") + V1_MEMORY.format(root="/")
    files = {"sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{GIB}\n", "sys/fs/cgroup/unified/cgroup.procs": "1\n"}
    assert host(tmp_path, "4:memory:/box\n0::/\n", mounts, files).memory == GIB


@pytest.mark.parametrize("text", ["", "garbage\n", "0 100000\n", "50000 0\n", "-1\n"])
def test_a_file_that_says_nothing_is_no_limit(tmp_path: Path, text: str) -> None:
    """Unreadable, empty or impossible values do not become a limit, nor an error."""
    files = {"sys/fs/cgroup/cpu.max": text, "sys/fs/cgroup/memory.max": text}
    seen = host(tmp_path, "0::/../../..\n", V2, files)
    assert (seen.cpus, seen.memory) == (8.0, 16 * GIB)


def test_a_quota_above_the_machine_is_no_limit(tmp_path: Path) -> None:
    """More than there is cannot be had."""
    files = {"sys/fs/cgroup/cpu.max": "1600000 100000\n", "sys/fs/cgroup/memory.max": f"{64 * GIB}\n"}
    seen = host(tmp_path, "0::/\n", V2, files)
    assert (seen.cpus, seen.cpus_from, seen.memory_from) == (8.0, "machine", "machine")


def test_the_kernels_queue_is_read(tmp_path: Path) -> None:
    """The longest queue of waiting connections is the kernel's, which is 128 in some containers."""
    assert host(tmp_path, "0::/\n", V2, {"proc/sys/net/core/somaxconn": "128\n"}).somaxconn == 128


def test_this_machine_has_something_to_offer() -> None:
    """Read for real: at least some CPU and some memory."""
    seen = this_host()
    assert 0 < seen.cpus <= 4096
    assert seen.memory > 16 * 1024**2
    assert seen.somaxconn > 0
