"""`carboy status` and `carboy ps`: what runs, asked of the supervisor, the processes and the health route."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from carboy.model.status import Status
from carboy.release.asking import Ask, Door, ask
from carboy.targets.local import driver, record
from carboy.workflows.project import open_state

HEALTH_TIMEOUT = 3.0


def status(path: Path) -> Status:
    """The state of the project on this machine."""
    folder = open_state(path)
    found = driver.status_of(folder, folder.project.name)
    if found.url is None or found.release is None:
        return found
    release = record.load(folder, found.release)
    if release is not None and release.workers == 0:  # its own command serves, without our wrapper's routes
        return replace(found, health=_health(found.url, "/", sound_below=500))
    return replace(found, health=_health(found.url, release.ready if release else "/ready"))


def _health(url: str, ready: str, *, sound_below: int = 400) -> str:
    address = urlsplit(url)
    door = Door(address.hostname or "127.0.0.1", address.port or 80, f"localhost:{address.port}")
    answer = ask(door, Ask(ready), timeout=HEALTH_TIMEOUT)
    if answer.status is None:
        return answer.fault
    return "ready" if answer.status < sound_below else f"not ready ({answer.status})"


def status_to_json(found: Status) -> dict[str, Any]:
    """The value that `carboy status --json` prints."""
    return {"schema": 1, **asdict(found)}


def processes_to_json(found: Status) -> dict[str, Any]:
    """The value that `carboy ps --json` prints."""
    return {"schema": 1, "release": found.release, "processes": status_to_json(found)["processes"]}


def runs(path: Path, pid: int) -> bool:
    """Whether supervisor `pid` is the one that runs for the project."""
    state = driver.running_state(open_state(path))
    return state is not None and state["pid"] == pid
