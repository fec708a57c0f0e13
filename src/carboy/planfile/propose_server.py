"""Which server, how many workers and threads, and why: decided from the facts alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carboy.model.facts import Facts, Warn
from carboy.planfile.proposal import Choice, place

MANY_THREADS: Final = 100  # one for each long connection
# Warnings that say: this app keeps something in its one process that a second would not see, or would do twice.
ONE_PROCESS: Final = frozenset({"one-process-only", "sqlite-in-memory", "secret-key-random"})
GREEN: Final = "green-worker-needed"


@dataclass(frozen=True, slots=True)
class _Server:
    """A choice before it is spelt as keys; None keeps the default."""

    reason: str
    where: str
    kind: str = "gunicorn"
    worker_class: str | None = None
    workers: int | None = None
    threads: int | None = None


def server_choices(facts: Facts, system: str) -> Iterator[Choice]:
    """The `[server]` keys that the facts ask for, the reason among them."""
    if facts.app.command is not None and facts.app.ref is None:
        return
    server = _decide(facts, system)
    values = {
        "kind": server.kind if server.kind != "gunicorn" else None,
        "worker_class": server.worker_class,
        "workers": server.workers,
        "threads": server.threads,
        "reason": server.reason,
    }
    for name, value in values.items():
        if value is not None:
            yield Choice(("server", name), value, server.reason, server.where)


def _decide(facts: Facts, system: str) -> _Server:
    app = facts.app
    where = place(app.evidence)
    if app.interface == "asgi":
        return _Server("an ASGI object needs a server that speaks ASGI", where, kind="uvicorn", workers=_one(facts))
    if system.startswith("win"):
        return _Server("Gunicorn does not run on Windows; Waitress does", where, kind="waitress")
    if app.websocket == "flask-socketio":
        return _socketio(facts)
    if app.async_views:
        reason = "async views share one event loop in each worker, through Carboy's bridge"
        return _Server(reason, where, kind="uvicorn", workers=_one(facts))
    return _synchronous(facts)


def _socketio(facts: Facts) -> _Server:
    reason = "Socket.IO keeps a client's session in one process"
    where = place(facts.app.evidence)
    installed = {each.name: each for each in facts.dependencies.requirements}
    for green, names in (("eventlet", ("eventlet",)), ("gevent", ("gevent", "gevent-websocket"))):
        library = next((installed[name] for name in names if name in installed), None)
        if library is not None and not facts.app.async_views:
            reason = f"{reason}; {green} is among the dependencies"
            return _Server(reason, place(library.evidence) or where, worker_class=green, workers=1)
    return _Server(f"{reason}; a thread for each connection", where, workers=1, threads=MANY_THREADS)


def _synchronous(facts: Facts) -> _Server:
    patched = next((warning for warning in facts.warnings if warning.code == GREEN), None)
    if patched is not None:
        green = "eventlet" if "eventlet" in patched.message else "gevent"
        reason = f"the app patches itself for {green}, and hangs under threads"
        return _Server(reason, place(patched.evidence), worker_class=green, workers=_one(facts))
    where = place(facts.app.evidence)
    if facts.app.websocket is not None:
        reason = f"{facts.app.websocket} holds a thread for each connection"
        return _Server(reason, where, threads=MANY_THREADS, workers=_one(facts))
    alone = _alone(facts)
    if alone is not None:
        return _Server(f"one process only: {alone.message}", place(alone.evidence), workers=1)
    if facts.data:
        return _Server("threads wait for the database while others answer", place(facts.data[0].evidence))
    return _Server("threads keep a slow request from blocking the others", where)


def _alone(facts: Facts) -> Warn | None:
    return next((warning for warning in facts.warnings if warning.code in ONE_PROCESS), None)


def _one(facts: Facts) -> int | None:
    return 1 if _alone(facts) is not None else None
