"""Which databases this process uses: never who it is there, nor with which password."""

import contextlib
import functools
import gc
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple
from urllib.parse import unquote, urlsplit

from flask_carboy.after_import import when_imported
from flask_carboy.database_clients import CLIENTS, Client, Entry

# A program that opens a file for each of its customers must not fill the memory.
MOST = 200


class Recorder:
    """Notes what is opened, from `install` on, and finds clients of databases among the living objects when asked.

    A forked child keeps what its parent opened at import: it is the same app's database.
    """

    def __init__(self) -> None:
        self._opened: Dict[Entry, None] = {}
        self._installed = False

    def install(self) -> None:
        """Start to note SQLite files; Python before 3.8 has no means for it."""
        if not self._installed and hasattr(sys, "addaudithook"):
            self._installed = True
            sys.addaudithook(self._heard)

    def watch_clients(self) -> None:
        """Note clients when they are made: for commands, whose objects are gone when they have ended."""
        for client in CLIENTS:
            when_imported(client.module, lambda module, client=client: self._patch(module, client))  # type: ignore[misc]

    def note(self, engine: str, address: str, name: str) -> None:
        """Note one database."""
        if len(self._opened) < MOST:
            self._opened[engine, address, name] = None

    def databases(self) -> List[Dict[str, str]]:
        """All that is known now, sorted."""
        self._search()
        found = sorted(self._opened)
        return [{"engine": engine, "address": address, "name": name} for engine, address, name in found]

    def _heard(self, event: str, arguments: Tuple[Any, ...]) -> None:
        if event == "sqlite3.connect":
            self.note("sqlite", "", sqlite_name(arguments[0]))

    def _search(self) -> None:
        known = [(client, client.kind()) for client in CLIENTS]
        kinds = {kind: client for client, kind in known if kind is not None}
        if not kinds:
            return
        # By type and its bases only: asking the object itself would wake proxies and other lazy things.
        by_type: Dict[type, Any] = {}
        for item in gc.get_objects():
            kind = type(item)
            if kind not in by_type:
                by_type[kind] = next((kinds[base] for base in kind.__mro__ if base in kinds), None)
            if by_type[kind] is not None:
                self._describe(by_type[kind], item)

    def _describe(self, client: Client, item: Any) -> None:
        # A half-made or unusual client is no reason to fail a request or a command.
        with contextlib.suppress(Exception):
            for entry in client.describe(item):
                self.note(*_with_path(entry))

    def _patch(self, module: Any, client: Client) -> None:
        owner = getattr(module, client.name, None)
        for maker in client.makers:
            original = getattr(owner, maker, None)
            if original is not None:
                # Types of C cannot be changed; the search at the end may still find them.
                with contextlib.suppress(TypeError):
                    setattr(owner, maker, self._noting(original, client))

    def _noting(self, original: Any, client: Client) -> Any:
        @functools.wraps(original)
        def noting(item: Any, *arguments: Any, **named: Any) -> Any:
            result = original(item, *arguments, **named)
            self._describe(client, item)
            return result

        return noting


def _with_path(entry: Entry) -> Entry:
    return ("sqlite", "", sqlite_name(entry[2])) if entry[0] == "sqlite" else entry


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
    return str(Path(os.path.abspath(text)))  # noqa: PTH100 - Path.absolute() leaves ".." in it


RECORDER = Recorder()
