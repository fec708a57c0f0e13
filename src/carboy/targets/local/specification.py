"""What the supervisor is told to run: handed over on its standard input, so that no secret lands in a file or argv.

Standard library only: the supervisor stays small.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ProcessSpecification:
    """One process to keep running; `argv[0]` is absolute, `stop_timeout` in seconds."""

    name: str
    instance: int
    argv: tuple[str, ...]
    folder: str
    variables: dict[str, str]
    stop_signal: str = "SIGTERM"
    stop_timeout: float = 30.0
    label: str = ""  # name.instance, for people


@dataclass(frozen=True)
class Specification:
    """A release to keep running. `state` and `log` are absolute paths of the files the supervisor writes."""

    name: str
    tier: str
    release: int
    url: str
    server: str
    state: str
    log: str
    log_max_bytes: int
    log_keep: int
    umask: int
    processes: tuple[ProcessSpecification, ...]
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"schema": 1, **asdict(self)})


def from_json(text: str) -> Specification:
    """Raises ValueError where the text is no specification of this version."""
    data = json.loads(text)
    if data.pop("schema", None) != 1:
        raise ValueError("not a specification of version 1")
    processes = tuple(ProcessSpecification(**{**p, "argv": tuple(p["argv"])}) for p in data.pop("processes"))
    return Specification(processes=processes, **data)
