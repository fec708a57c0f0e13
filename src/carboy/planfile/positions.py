"""Where each key of a TOML text stands: a mapping from path to line, counted from 1.

Reads only texts that `tomllib` has accepted, so it never judges: it walks over keys and values and counts lines.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

Path = tuple[str, ...]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}#\r\n]+")
# Three quotes first: an empty text followed by a quote is not TOML, so the order is enough.
_TEXT: Final = re.compile(
    r'''
    """(?:\\.|[^\\])*?"{3,5}(?!")
    | \'{3}.*?\'{3,5}(?!\')
    | "(?:\\.|[^"\\\n])*"
    | \'[^\'\n]*\'
    ''',
    re.DOTALL | re.VERBOSE,
)


def positions(text: str) -> Mapping[Path, int]:
    """The line of every key, table and list item; items are named by their number, from "0"."""
    walk = _Walk(text)
    walk.document()
    return walk.found


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self._starts = [match.end() for match in re.finditer("\n", text)]
        self._tables: dict[Path, int] = {}  # how often [[path]] was met

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> Path:
        repeated = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if repeated else 1
        path = self._in_last_items(self._key())
        self.at += 2 if repeated else 1
        if repeated:
            number = self._tables.get(path, -1) + 1
            self._tables[path] = number
            self.found.setdefault(path, line)
            path = (*path, str(number))
        self._note(path, line)
        return path

    def _in_last_items(self, path: Path) -> Path:
        """`path` with the number of the last item after each part that is a list of tables."""
        made: Path = ()
        for place, part in enumerate(path):
            made = (*made, part)
            if made in self._tables and place < len(path) - 1:
                made = (*made, str(self._tables[made]))
        return made

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._note(path, line)
        self.at += 1  # the equals sign
        self._value(path)

    def _key(self) -> Path:
        parts = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _key_part(self) -> str:
        if self.text[self.at] not in "\"'":
            return self._take(_BARE)
        name: str = tomllib.loads(f"k = {self._take(_TEXT)}")["k"]
        return name

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        mark = self.text[self.at]
        if mark == "[":
            self._list(path)
        elif mark == "{":
            self._inline_table(path)
        else:
            self._take(_TEXT if mark in "\"'" else _SCALAR)

    def _list(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self._next_item("]"):
            self._note((*path, str(number)), self._line())
            self._value((*path, str(number)))
            number += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._next_item("}"):
            self._pair(path)

    def _next_item(self, end: str) -> bool:
        """Move to the next item; False, and past the end, where there is none."""
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)
        if self.text[self.at] != end:
            return True
        self.at += 1
        return False

    def _note(self, path: Path, line: int) -> None:
        # A table that only its children name, as `a` in [a.b], stands where the first child does.
        for length in range(1, len(path) + 1):
            self.found.setdefault(path[:length], line)

    def _line(self) -> int:
        return bisect_right(self._starts, self.at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"not TOML at line {self._line()}")
        self.at = match.end()
        return match.group()
