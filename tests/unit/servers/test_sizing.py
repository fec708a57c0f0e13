"""How many workers and threads a host gets."""

import pytest

from carboy.model.host import Host
from carboy.model.plan import Plan, Server
from carboy.servers.sizing import MOST_WORKERS, WORKER_BYTES, size

pytestmark = pytest.mark.requirement("S8")

MIB = 1024**2
GIB = 1024**3

# kind or worker class, CPUs, memory: workers, threads
TABLE = [
    ("sync", 0.25, 8 * GIB, 1, 1),
    ("sync", 0.5, 8 * GIB, 2, 1),
    ("sync", 1, 8 * GIB, 3, 1),
    ("sync", 1.5, 8 * GIB, 4, 1),
    ("sync", 2, 8 * GIB, 5, 1),
    ("sync", 8, 32 * GIB, 17, 1),
    ("sync", 64, 512 * GIB, MOST_WORKERS, 1),
    ("sync", 2, 512 * MIB, 3, 1),
    ("sync", 2, 64 * MIB, 1, 1),
    ("gthread", 0.5, 8 * GIB, 2, 8),
    ("gthread", 1, 8 * GIB, 2, 8),
    ("gthread", 2, 8 * GIB, 3, 8),
    ("gthread", 2, 256 * MIB, 1, 15),
    ("gthread", 16, 64 * GIB, 17, 8),
    ("gevent", 0.5, 8 * GIB, 1, 1),
    ("gevent", 2, 8 * GIB, 2, 1),
    ("eventlet", 4, 8 * GIB, 4, 1),
    ("uvicorn", 2, 8 * GIB, 2, 8),
    ("asgi", 1, 8 * GIB, 1, 15),
    ("uwsgi", 2, 8 * GIB, 3, 8),
    ("waitress", 16, 64 * GIB, 1, 15),
    ("granian", 2, 8 * GIB, 2, 8),
]


def server_of(kind: str, **more: object) -> Server:
    if kind in {"uwsgi", "waitress", "granian"}:
        return Server(kind=kind, **more)  # type: ignore[arg-type]
    return Server(kind="gunicorn", worker_class=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "cpus", "memory", "workers", "threads"), TABLE)
def test_numbers_follow_what_the_host_grants(kind: str, cpus: float, memory: int, workers: int, threads: int) -> None:
    """2 x CPU + 1 is where sync starts; quota, memory and the kind of worker correct it."""
    numbers = size(Plan(server=server_of(kind)), Host(cpus=cpus, memory=memory))
    assert (numbers.workers, numbers.threads) == (workers, threads)


def test_what_the_plan_says_is_kept() -> None:
    """Numbers of the plan are not corrected, but for Waitress, which has one process."""
    tiny = Host(cpus=0.5, memory=64 * MIB)
    numbers = size(Plan(server=server_of("gthread", workers=9, threads=3)), tiny)
    assert (numbers.workers, numbers.threads) == (9, 3)
    assert size(Plan(server=server_of("waitress", workers=9, threads=3)), tiny).workers == 1


def test_one_process_gets_the_threads_of_all() -> None:
    """An app that must be alone in one process has the threads that SQLAlchemy's default pool can serve."""
    numbers = size(Plan(server=server_of("gthread", workers=1)), Host(cpus=8, memory=8 * GIB))
    assert (numbers.workers, numbers.threads) == (1, 15)


def test_workers_fit_into_the_memory() -> None:
    """Whatever the host, the workers together stay below its memory, or there is only one."""
    for mebibytes in (32, 100, 200, 512, 1000, 4096, 65536):
        for cpus in (0.1, 1, 7, 200):
            host = Host(cpus=cpus, memory=mebibytes * MIB)
            workers = size(Plan(server=server_of("sync")), host).workers
            assert workers >= 1
            assert workers == 1 or workers * WORKER_BYTES < host.memory


def test_the_reason_names_what_decided() -> None:
    """The sentence says whether the quota or the memory was the limit."""
    quota = size(Plan(server=server_of("sync")), Host(cpus=0.5, memory=8 * GIB, cpus_from="cgroup"))
    assert quota.reason == "2 workers for 0.5 CPU (cgroup)"
    memory = size(Plan(server=server_of("sync")), Host(cpus=8, memory=512 * MIB, memory_from="cgroup"))
    assert memory.reason == "3 workers instead of 17: no more fit into 512 MiB of memory (cgroup)"


def test_the_backlog_stays_below_the_kernels_limit() -> None:
    """uWSGI does not start with a longer queue than the kernel allows."""
    plan = Plan(server=server_of("uwsgi", backlog=2048))
    assert size(plan, Host(cpus=1, memory=GIB, somaxconn=128)).backlog == 128
    assert size(plan, Host(cpus=1, memory=GIB)).backlog == 2048
