"""Which Pythons this machine has, and which of them an app gets; told from names and links, without running any."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from carboy.errors import Failed

OLDEST = (3, 6)  # what uv can still make an environment for
USABLE_UNASKED = (3, 8)  # what the extension runs on: older only where the project names it
_PROGRAM = re.compile(r"^python(\d)\.(\d+)(?:\.exe)?$")
_FOLDER = re.compile(r"(?:^|[^\d.])(\d)\.(\d+)(?:\.(\d+))?(?=$|[^\d.])")
_SHIM_FOLDERS = frozenset({"shims"})
_VERSION_FOLDERS = (
    (".pyenv/versions", "bin/python"),
    (".local/share/uv/python", "bin/python"),
    (".asdf/installs/python", "bin/python"),
    (".local/share/mise/installs/python", "bin/python"),
    ("Library/Application Support/uv/python", "bin/python"),
    ("AppData/Roaming/uv/python", "python.exe"),
    ("AppData/Local/Programs/Python", "python.exe"),
)
_SYSTEM_FOLDERS = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")


@dataclass(frozen=True, slots=True, order=True)
class Interpreter:
    """One installed Python. `patch` is None where its name does not tell it."""

    minor: tuple[int, int]
    patch: int | None = field(compare=False)
    path: str = field(compare=False)

    @property
    def version(self) -> str:
        short = f"{self.minor[0]}.{self.minor[1]}"
        return short if self.patch is None else f"{short}.{self.patch}"

    @property
    def short(self) -> str:
        return f"{self.minor[0]}.{self.minor[1]}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The Python that was chosen; `note` says why where it is not the one that was asked for."""

    interpreter: Interpreter
    note: str = ""


def find_interpreters(search_path: str, home: Path) -> tuple[Interpreter, ...]:
    """All Pythons 3.6 and later: on the search path, in version managers' folders, and the tool's own.

    Shims of version managers are passed over: they answer for another version, or fail with a page of advice.
    """
    found: dict[str, Interpreter] = {}
    candidates = [_own(), *_in_version_folders(home), *_in_program_folders(search_path)]
    for interpreter in candidates:
        if interpreter.minor >= OLDEST:
            found.setdefault(str(Path(interpreter.path).resolve()), interpreter)
    return tuple(sorted(found.values(), key=lambda one: (one.minor, one.patch or 0, one.path)))


def choose_interpreter(
    installed: tuple[Interpreter, ...], wanted: str | None, requires: str | None = None, *, exactly: bool = False
) -> Choice:
    """The wanted version's minor; else the nearest that `requires` allows; without a wish the tool's own.

    Raises Failed, naming what is installed, where nothing fits; with `exactly` no other minor is taken.
    """
    allowed = _allowed(requires)
    minor, patch = _parse(wanted)
    if minor:
        same = [one for one in installed if one.minor == minor]
        if same:
            return _same_minor(same, patch, wanted or "")
    fitting = [one for one in installed if one.minor >= USABLE_UNASKED and _fits(one, allowed)]
    if (exactly and minor) or not fitting:
        raise _none_fits(installed, wanted, requires)
    best = _nearest(fitting, minor or _own().minor)
    note = f"the project names Python {wanted}, which is not installed: {best.version} is used" if minor else ""
    return Choice(best, note)


def _own() -> Interpreter:
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Interpreter((sys.version_info.major, sys.version_info.minor), sys.version_info.micro, base)


def _in_version_folders(home: Path) -> Iterator[Interpreter]:
    for folder, program in _VERSION_FOLDERS:
        for version in _entries(home / folder):
            match = _FOLDER.search(version.name) or re.search(r"Python(3)(\d+)()$", version.name)
            path = version / program
            if match and path.exists():
                patch = match[3] if match.lastindex and match[3] else None
                yield Interpreter((int(match[1]), int(match[2])), int(patch) if patch else None, str(path))


def _in_program_folders(search_path: str) -> Iterator[Interpreter]:
    folders = [Path(part) for part in search_path.split(os.pathsep) if part]
    folders += [Path(part) for part in _SYSTEM_FOLDERS]
    for folder in dict.fromkeys(folders):
        if folder.name in _SHIM_FOLDERS or (folder.parent / "pyvenv.cfg").exists():
            continue
        for program in _entries(folder, "python3*"):
            match = _PROGRAM.match(program.name)
            if match and os.access(program, os.X_OK) and not _is_script(program):
                yield Interpreter((int(match[1]), int(match[2])), None, str(program))


def _entries(folder: Path, pattern: str = "*") -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _is_script(program: Path) -> bool:
    try:
        with program.open("rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return True


def _parse(wanted: str | None) -> tuple[tuple[int, int] | None, int | None]:
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", wanted or "")
    if not match:
        return None, None
    return (int(match[1]), int(match[2])), int(match[3]) if match[3] else None


def _allowed(requires: str | None) -> SpecifierSet:
    try:
        return SpecifierSet(requires or "")
    except InvalidSpecifier:  # what cannot be read cannot be held against anybody
        return SpecifierSet("")


def _fits(one: Interpreter, allowed: SpecifierSet) -> bool:
    # An unknown patch is taken for a late one: `>=3.9.2` is meant to let Debian's python3.9 in.
    return allowed.contains(f"{one.short}.{99 if one.patch is None else one.patch}", prereleases=True)


def _same_minor(same: list[Interpreter], patch: int | None, wanted: str) -> Choice:
    exact = [one for one in same if one.patch == patch or patch is None]
    best = exact[-1] if exact else same[-1]
    if exact or best.patch is None:
        return Choice(best)
    return Choice(best, f"Python {wanted} is not installed: {best.version} of the same series is used")


def _nearest(fitting: list[Interpreter], minor: tuple[int, int]) -> Interpreter:
    # Newer before older at the same distance: the language takes little away, and older ones lack wheels.
    return min(reversed(fitting), key=lambda one: (abs(one.minor[1] - minor[1]), one.minor < minor))


def _none_fits(installed: tuple[Interpreter, ...], wanted: str | None, requires: str | None) -> Failed:
    there = ", ".join(dict.fromkeys(one.version for one in installed)) or "none"
    asked = f"Python {wanted}" if wanted else f"a Python that satisfies {requires}"
    version = _parse(wanted or requires)[0]
    name = f"{version[0]}.{version[1]}" if version else "3.12"
    return Failed(
        f"{asked} is not installed (installed: {there})",
        where="python",
        hint=f"install it, for example with `uv python install {name}`, or set app.python to one that is there",
    )
