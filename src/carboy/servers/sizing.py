"""How many workers and threads: 2 x CPU + 1 as the start, corrected by what this host really grants.

| worker | processes | threads in each | why |
|---|---|---|---|
| sync | 2 x CPU + 1 | 1 | half of the workers may wait while the others compute |
| gthread, uWSGI | CPU + 1 | 8 | the waiting is done by threads, which cost less memory than processes |
| gevent, eventlet | CPU | 1 | one process waits for a thousand connections; more only help to compute |
| uvicorn, asgi, granian | CPU | 8 | the same; the threads run the WSGI app behind the server |
| waitress | 1 | 15 | it has one process |

CPU is the cgroup's quota where it is lower than the machine's count (a container with half a core on a host with 64
is not to start 129 workers), rounded up to whole cores except for sync, where half a core gives two workers. Then
memory: workers that do not fit into four fifths of the limit would be killed by the kernel one after the other.

Eight threads stay below the 15 connections that SQLAlchemy's default pool opens in a process (5 and 10 more);
a process that is alone gets all 15. With more, requests would queue for a connection and time out there.
"""

from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from carboy.model.host import Host
from carboy.model.plan import Plan, Server
from carboy.servers.combinations import GREEN

WORKER_BYTES: Final = 120 * 1024 * 1024  # a Flask app with an ORM and a few libraries, measured as private memory
MEMORY_SHARE: Final = 0.8  # the rest is for the master, release commands and the page cache
MOST_WORKERS: Final = 64  # past this a person should have said so: databases refuse the connections first
THREADS: Final = 8
THREADS_ALONE: Final = 15


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers, and a sentence for people that says where they come from; `backlog` is what the kernel allows."""

    workers: int
    threads: int
    reason: str
    backlog: int


def size(plan: Plan, host: Host) -> Size:
    """Work out workers and threads; a number given in the plan is kept as it is."""
    server = plan.server
    workers, reason = _workers(server, host)
    threads = server.threads if server.threads != "auto" else _threads(server, workers)
    return Size(workers, threads, reason, min(server.backlog, host.somaxconn))


def _workers(server: Server, host: Host) -> tuple[int, str]:
    if server.kind == "waitress":
        return 1, "Waitress has one process"
    if server.workers != "auto":
        return server.workers, f"{_count(server.workers)} as the plan says"
    wanted = min(_by_cpu(server, host.cpus), MOST_WORKERS)
    fitting = max(1, floor(host.memory * MEMORY_SHARE / WORKER_BYTES))
    if fitting < wanted:
        limit = f"{host.memory // 1024**2} MiB of memory ({host.memory_from})"
        return fitting, f"{_count(fitting)} instead of {wanted}: no more fit into {limit}"
    return wanted, f"{_count(wanted)} for {host.cpus:g} CPU ({host.cpus_from})"


def _by_cpu(server: Server, cpus: float) -> int:
    kind = server.worker_class if server.kind == "gunicorn" else server.kind
    if kind == "sync":
        return max(1, floor(2 * cpus) + 1)
    if kind in {"gthread", "uwsgi"}:
        return max(1, ceil(cpus)) + 1
    return max(1, ceil(cpus))


def _threads(server: Server, workers: int) -> int:
    if server.kind == "gunicorn" and (server.worker_class == "sync" or server.worker_class in GREEN):
        return 1
    return THREADS_ALONE if workers == 1 else THREADS


def _count(workers: int) -> str:
    return f"{workers} worker{'s' if workers != 1 else ''}"
