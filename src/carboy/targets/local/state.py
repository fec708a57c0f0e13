"""What Carboy keeps of a project on this machine: `.carboy/` beside it, ignored by git by its own file."""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carboy.errors import Failed, UsageFault

STATE_VERSION = 1


@dataclass(frozen=True)
class StateFolder:
    """The folders and files of one project's state; `root` is absolute."""

    root: Path
    project: Path

    @property
    def envs(self) -> Path:
        return self.root / "envs"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def shared(self) -> Path:
        return self.root / "shared"

    @property
    def log(self) -> Path:
        return self.root / "logs" / "stream.jsonl"

    @property
    def supervisor_log(self) -> Path:
        return self.root / "logs" / "supervisor.log"

    @property
    def running(self) -> Path:
        return self.root / "run" / "state.json"

    @property
    def lock(self) -> Path:
        return self.root / "run" / "lock"

    @property
    def run(self) -> Path:
        """A short private folder for sockets: their paths are limited to some hundred bytes."""
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        base = os.environ.get("XDG_RUNTIME_DIR")
        if base and Path(base).is_dir():
            return Path(base) / "carboy" / digest
        return Path(tempfile.gettempdir()) / f"carboy-{_user()}" / digest

    def release(self, number: int) -> Path:
        return self.releases / str(number)

    def exists(self) -> bool:
        return (self.root / "VERSION").is_file()

    def prepare(self) -> None:
        """Make the folders. Raises Failed where nothing can be written, UsageFault where a newer Carboy wrote."""
        try:
            for folder in (self.root, self.envs, self.releases, self.shared, self.log.parent, self.running.parent):
                folder.mkdir(parents=True, exist_ok=True)
            (self.root / ".gitignore").write_text("*\n", encoding="utf-8")
            self.check_version()
            (self.root / "VERSION").write_text(f"{STATE_VERSION}\n", encoding="utf-8")
            self.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as fault:
            raise Failed(
                f"cannot be written: {fault.strerror}",
                where=str(fault.filename or self.root),
                hint="give yourself the right to write there, or set CARBOY_STATE to another folder",
            ) from fault
        with contextlib.suppress(OSError):
            self.root.chmod(0o700)

    def check_version(self) -> None:
        version = self.root / "VERSION"
        if not version.is_file():
            return
        text = version.read_text(encoding="utf-8").strip()
        if text.isdigit() and int(text) > STATE_VERSION:
            raise UsageFault(
                f"written by a newer Carboy (version {text} of its format; this one knows {STATE_VERSION})",
                where=str(version),
                hint="upgrade this Carboy",
            )

    def numbers(self) -> list[int]:
        """Numbers of the releases that are kept, oldest first."""
        if not self.releases.is_dir():
            return []
        return sorted(int(entry.name) for entry in self.releases.iterdir() if entry.name.isdigit())

    def record(self, number: int) -> dict[str, Any] | None:
        """What was written about a release when it was staged, or None."""
        return read_json(self.release(number) / "release.json")


def _user() -> str:
    return str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")


def state_folder(project: Path) -> StateFolder:
    """Where the state of `project` lies: `.carboy/` in it, or a folder of its own below `$CARBOY_STATE`."""
    project = project.resolve()
    base = os.environ.get("CARBOY_STATE")
    if base:
        digest = hashlib.sha256(str(project).encode()).hexdigest()[:12]
        return StateFolder(Path(base).resolve() / f"{project.name}-{digest}", project)
    return StateFolder(project / ".carboy", project)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in `path`, or None where it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def write_json(path: Path, data: dict[str, Any], *, mode: int = 0o600) -> None:
    """Write beside and rename, so that a reader sees the old or the new and never half of it."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.chmod(mode)
    beside.replace(path)
