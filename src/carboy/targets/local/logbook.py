"""The one log stream of a project: JSON lines, rotated by size, written by the supervisor alone.

Standard library only: the supervisor stays small.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

LONGEST_LINE = 16_384  # characters; what is longer is cut and says so


def entry(
    process: str, instance: int, release: int, stream: str, line: str, *, now: float | None = None
) -> dict[str, Any]:
    """One line of the stream. `time` is seconds since the epoch, `stream` out, err or carboy."""
    if len(line) > LONGEST_LINE:
        line = f"{line[:LONGEST_LINE]} ... [{len(line) - LONGEST_LINE} characters cut]"
    return {
        "time": round(time.time() if now is None else now, 3),
        "process": process,
        "instance": instance,
        "release": release,
        "stream": stream,
        "line": line,
    }


class Logbook:
    """Appends entries to `path`; at `max_bytes` the file becomes `path.1`, and `keep` old ones stay.

    A full disk costs lines and never the site: `lost` counts them until one can be written again.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.keep = keep
        self._stream: TextIO | None = None
        self._size = 0
        self.lost = 0

    def write(self, record: dict[str, Any]) -> None:
        """Append one entry, after one that says how many were lost where some were."""
        try:
            if self.lost:
                said = f"{self.lost} lines before this one could not be written: is the disk full?"
                self._append({**record, "stream": "carboy", "line": said})
                self.lost = 0
            self._append(record)
        except OSError:
            self.lost += 1
            self.close()

    def _append(self, record: dict[str, Any]) -> None:
        text = json.dumps(record, ensure_ascii=False) + "\n"
        size = len(text.encode("utf-8", "replace"))
        if self._stream is not None and self._size + size > self.max_bytes:
            self._rotate()
        stream = self._stream or self._open()
        stream.write(text)
        stream.flush()
        self._size += size

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # what is still in its buffer counts as lost already
                stream.close()

    def _open(self) -> TextIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self.path.open("a", encoding="utf-8", errors="backslashreplace")
        self._size = self.path.stat().st_size
        return self._stream

    def _rotate(self) -> None:
        self.close()
        numbered(self.path, self.keep).unlink(missing_ok=True)
        for number in range(self.keep - 1, 0, -1):
            older = numbered(self.path, number)
            if older.exists():
                older.replace(numbered(self.path, number + 1))
        self.path.replace(numbered(self.path, 1))


def numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def stored_files(path: Path) -> list[Path]:
    """The files of the stream, oldest first."""
    older = [p for p in path.parent.glob(f"{path.name}.*") if p.suffix[1:].isdigit()]
    older.sort(key=lambda p: int(p.suffix[1:]), reverse=True)
    return [*older, path] if path.exists() else older


def parse(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Entries of `lines`; a line cut short by a crash is passed over."""
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "line" in record:
            yield record


def read_entries(path: Path) -> Iterator[dict[str, Any]]:
    """All entries that are kept, oldest first."""
    with contextlib.ExitStack() as opened:
        # Opened newest first, so that a rotation meanwhile repeats a file, told by its number, and hides none.
        streams: dict[int, Iterable[str]] = {}
        for file in reversed(stored_files(path)):
            with contextlib.suppress(FileNotFoundError):
                lines = opened.enter_context(file.open(encoding="utf-8", errors="replace"))
                streams.setdefault(os.fstat(lines.fileno()).st_ino, lines)
        for kept in reversed(streams.values()):
            yield from parse(kept)
