"""The plan file as it stands on disk: carboy.toml, or [tool.carboy] in pyproject.toml."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Final, NoReturn

from carboy.planfile.faults import Fault, refuse
from carboy.planfile.keys import VERSION, Path
from carboy.planfile.positions import positions

PLAN_FILE: Final = "carboy.toml"
PYPROJECT: Final = "pyproject.toml"
_TABLE: Final = ("tool", "carboy")


@dataclass(frozen=True, slots=True)
class Document:
    """One plan file: its `table`, and the line of each key in it."""

    path: FilePath
    name: str
    table: Mapping[str, Any]
    lines: Mapping[Path, int]

    def where(self, path: Path) -> str:
        """`carboy.toml:12`; the nearest table's line where the key itself has none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name


def read_document(project: FilePath) -> Document | None:
    """The project's plan file, or None; a text that is no TOML, or of a newer Carboy, is refused."""
    own = _read(project / PLAN_FILE, ())
    shared = _read(project / PYPROJECT, _TABLE)
    if own and shared:
        what = f"the plan stands in two places: here and in {shared.where(())}, [tool.carboy]"
        refuse(Fault(own.name, "", what, "keep one of them"))
    found = own or shared
    if found:
        _check_version(found)
    return found


def _read(path: FilePath, inside: Path) -> Document | None:
    if not path.is_file():
        return None
    text = _decoded(path)
    if inside and text is not None and "carboy" not in text:
        return None
    if text is None:
        # A pyproject.toml that cannot be read is the packaging tools' matter, not the plan's.
        if inside:
            return None
        _refuse(path, "", "this file is not UTF-8", "save it as UTF-8")
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if inside and not re.search(r"^\s*\[\s*tool\s*\.\s*carboy", text, re.MULTILINE):
            return None
        _syntax(path, error)
    except RecursionError:
        if inside:
            return None
        _refuse(path, "", "nested too deeply to be read", "a plan needs three levels at the most")
    return _document(path, table, text, inside)


def _document(path: FilePath, table: Any, text: str, inside: Path) -> Document | None:
    for part in inside:
        table = table.get(part) if isinstance(table, dict) else None
    if inside and not isinstance(table, dict):
        return None
    deep = len(inside)
    lines = {place[deep:]: line for place, line in positions(text).items() if place[:deep] == inside}
    return Document(path, path.name, table, lines)


def _decoded(path: FilePath) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    except OSError as error:
        _refuse(path, "", f"cannot be read: {error.strerror}", "give yourself the right to read it")


def _syntax(path: FilePath, error: tomllib.TOMLDecodeError) -> NoReturn:
    match = re.fullmatch(
        r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", str(error)
    )
    what = (match["what"] if match else str(error)).rstrip(".")
    line = match["line"] if match and match["line"] else ""
    column = f" (column {match['column']})" if match and match["column"] else " (at the end of the file)"
    _refuse(path, line, f"this is no TOML: {what[:1].lower()}{what[1:]}{column}", "https://toml.io shows the form")


def _refuse(path: FilePath, line: str, what: str, hint: str) -> NoReturn:
    refuse(Fault(f"{path.name}:{line}" if line else path.name, "", what, hint))


def _check_version(document: Document) -> None:
    version = document.table.get("version", VERSION)
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        what = f"this plan has version {version}, made for a newer Carboy; this one reads version {VERSION}"
        refuse(Fault(document.where(("version",)), "version", what, "upgrade it: pip install -U carboy"))
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        what = f"wants the number {VERSION}, given {version!r}"
        refuse(Fault(document.where(("version",)), "version", what, f"write version = {VERSION}"))
