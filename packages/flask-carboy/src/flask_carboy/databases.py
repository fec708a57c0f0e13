"""Which databases this process uses: never who it is there, nor with which password."""

import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple
from urllib.parse import unquote, urlsplit

Entry = Tuple[str, str, str]

# A program that opens a file for each of its customers must not fill the memory.
MOST = 200


class Recorder:
    """Notes what is opened, from `install` on."""

    def __init__(self) -> None:
        self._opened: Dict[Entry, None] = {}
        self._installed = False

    def install(self) -> None:
        """Start to note SQLite files; Python before 3.8 has no means for it."""
        if not self._installed and hasattr(sys, "addaudithook"):
            self._installed = True
            sys.addaudithook(self._heard)

    def note(self, engine: str, address: str, name: str) -> None:
        """Note one database."""
        if len(self._opened) < MOST:
            self._opened[engine, address, name] = None

    def databases(self) -> List[Dict[str, str]]:
        """All that is known now, sorted."""
        return [{"engine": engine, "address": address, "name": name} for engine, address, name in sorted(self._opened)]

    def _heard(self, event: str, arguments: Tuple[Any, ...]) -> None:
        if event == "sqlite3.connect":
            self.note("sqlite", "", sqlite_name(arguments[0]))


def sqlite_name(database: Any) -> str:
    """The absolute path of an SQLite database, or `:memory:`."""
    text = os.fsdecode(database) if isinstance(database, (str, bytes, os.PathLike)) else str(database)
    if text.startswith("file:"):
        parts = urlsplit(text)
        if "mode=memory" in parts.query:
            return ":memory:"
        text = unquote(parts.path)
    if text in ("", ":memory:"):
        return ":memory:"
    return str(Path(text).absolute())


RECORDER = Recorder()
