"""The record of a release on this machine: all that is needed to start it again, and no secret.

Rollback and a plain restart use what stands here, never what would be rendered today.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from carboy.targets.local.state import StateFolder, read_json, write_json

RECORD_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    name: str
    argv: tuple[str, ...]
    folder: str
    variables: dict[str, str] = field(default_factory=dict)
    scale: int = 1
    once: bool = False
    stop_signal: str = "SIGTERM"
    stop_timeout: float = 30.0


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord:
    """`variables` are the wire's, `reads` and `secrets` only names; `prepared` is what release commands opened."""

    number: int
    fingerprint: str
    created: float
    name: str
    tier: str
    host: str
    port: int
    ref: str | None
    reason: str
    server: str
    workers: int
    bin: str
    python: str
    source: str
    variables: dict[str, str]
    plan_variables: dict[str, str]
    reads: tuple[str, ...]
    secrets: tuple[str, ...]
    processes: tuple[ProcessRecord, ...]
    live: str
    ready: str
    pages: tuple[str, ...]
    static: str | None
    gate_timeout: float
    umask: int
    log_max_bytes: int
    log_keep: int
    prepared: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    good: bool = False

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104 - a comparison
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


def save(folder: StateFolder, record: ReleaseRecord) -> None:
    write_json(folder.release(record.number) / "release.json", {"schema": RECORD_VERSION, **asdict(record)})


def load(folder: StateFolder, number: int) -> ReleaseRecord | None:
    """The record, or None where the release is gone, was never whole, or is of another version."""
    data = read_json(folder.release(number) / "release.json")
    if data is None or data.pop("schema", None) != RECORD_VERSION:
        return None
    try:
        processes = tuple(ProcessRecord(**{**p, "argv": tuple(p["argv"])}) for p in data.pop("processes"))
        data |= {name: tuple(data[name]) for name in ("reads", "secrets", "pages", "prepared", "notes")}
        return ReleaseRecord(processes=processes, **data)
    except (TypeError, KeyError):
        return None


def newest_good(folder: StateFolder) -> ReleaseRecord | None:
    """The newest release that passed its gate and is whole."""
    for number in reversed(folder.numbers()):
        record = load(folder, number)
        if record is not None and record.good and Path(record.python).exists():
            return record
    return None
