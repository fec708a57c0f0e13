"""Requirement files as people really have them, made into lines that uv takes.

Nested files are put into one list, paths become absolute, and what can never install (a line that a distribution's
pip froze by mistake, a package of another system) is left out and said.
"""

import codecs
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from carboy.errors import Failed

_NESTED = re.compile(r"^(?:-r|--requirement)[\s=]+(.+)$")
_CONSTRAINT = re.compile(r"^(?:-c|--constraint)[\s=]+(.+)$")
_EDITABLE = re.compile(r"^(?:-e|--editable)[\s=]+(.+)$")
_FIND_LINKS = re.compile(r"^(-f|--find-links)[\s=]+(.+)$")
_FROZEN_BY_CONDA = re.compile(r"^([A-Za-z0-9._-]+)\s*@\s*file://\S+")
_EGG = re.compile(r"^(?P<url>[^#\s]+)#(?:.*&)?egg=(?P<name>[A-Za-z0-9._-]+(?:\[[^\]]*\])?)(?P<more>&\S*)?")
# Options of pip that uv has no word for, or that would bind the server's own packages as well.
_DROPPED_OPTIONS = ("--require-hashes", "--trusted-host", "--use-feature", "--process-dependency-links", "--no-cache")
_ONLY_WINDOWS = frozenset({"pywin32", "pypiwin32", "pywinpty", "pyreadline", "wincertstore", "windows-curses"})
_NEVER = frozenset({"pkg-resources", "distribute"})
_STANDARD_LIBRARY = frozenset(
    {"argparse", "wsgiref", "asyncio", "uuid", "hashlib", "ssl", "sqlite3", "multiprocessing"}
)


@dataclass
class Wanted:
    """What to install: requirement lines, constraint lines, words of uv, sentences for people.

    `texts` is what the lines came from and belongs to the key of the environment. `export` names the uv.lock that
    uv itself turns into lines, `metadata` a setup.py that must be run to learn what it asks for, `project` the folder
    of a project that must be installed itself.
    """

    lines: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    export: Path | None = None
    metadata: Path | None = None
    project: Path | None = None
    project_name: str = ""

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def read_requirements(file: Path, root: Path) -> Wanted:
    """The lines of `file` and of all that it names; paths are looked up beside the file, then in `root`."""
    wanted = Wanted()
    _read(file, root, wanted, constraint=False, seen=set())
    if any(line.startswith(("--extra-index-url", "--index-url", "-i ")) for line in wanted.lines):
        # pip looks at every index for the best version; uv stops at the first that knows the name.
        wanted.options += ["--index-strategy", "unsafe-best-match"]
    return wanted


def read_text(file: Path) -> str:
    """The text of a file in UTF-8, UTF-16 (PowerShell's `pip freeze > file`) or, as a last resort, Latin-1."""
    data = file.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def logical_lines(text: str) -> list[str]:
    """The lines without comments, with continued lines joined."""
    joined = re.sub(r"\\\r?\n", " ", text)
    stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in stripped if line]


def normalized(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str | None:
    """The normalised name of the package that a requirement asks for."""
    match = re.match(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return normalized(match[1]) if match else None


def _read(file: Path, root: Path, wanted: Wanted, *, constraint: bool, seen: set[Path]) -> None:
    if file.resolve() in seen:
        return
    seen.add(file.resolve())
    try:
        text = read_text(file)
    except OSError as fault:
        raise Failed(
            f"cannot be read: {fault.strerror}", where=_shown(file, root), hint="name it in app.source"
        ) from None
    wanted.texts.append(text)
    for line in logical_lines(text):
        if nested := (_NESTED.match(line) or _CONSTRAINT.match(line)):
            is_constraint = constraint or _CONSTRAINT.match(line) is not None
            _read(_beside(nested[1], file, root), root, wanted, constraint=is_constraint, seen=seen)
        else:
            _take(line, file, root, wanted, constraint=constraint)


def _take(line: str, file: Path, root: Path, wanted: Wanted, *, constraint: bool) -> None:
    if line.startswith(_DROPPED_OPTIONS):
        return
    if line.startswith("--pre"):
        wanted.options += ["--prerelease", "allow"]
        return
    if reason := _unwanted(line):
        wanted.note(f"{line.split()[0]} in {_shown(file, root)} is left out: {reason}")
        return
    if links := _FIND_LINKS.match(line):
        line = f"--find-links {_beside(links[2], file, root) if '://' not in links[2] else links[2]}"
    (wanted.constraints if constraint else wanted.lines).append(_place(line, file, root, wanted))


def _place(line: str, file: Path, root: Path, wanted: Wanted) -> str:
    """The line without `-e` (an environment outlives the folder it was made from) and with absolute paths."""
    if conda := _FROZEN_BY_CONDA.match(line):
        path = re.sub(r"^[^@]*@\s*file://", "", line).split("#")[0].split(";")[0].strip()
        if not Path(path).exists():
            wanted.note(f"{conda[1]} in {_shown(file, root)} names a file that is not here: taken from the index")
            return conda[1]
        return line
    editable = _EDITABLE.match(line)
    target = editable[1].strip() if editable else line
    if "://" in target or target.startswith("git+"):
        return _named_url(target)
    if editable or target.startswith(("./", "../", ".\\", "..\\", "/")) or target in {".", ".."} or target[:2] == ".[":
        path, extras = re.match(r"^(.*?)(\[[^\]]*\])?$", target).groups()  # type: ignore[union-attr]
        return f"{_beside(path, file, root)}{extras or ''}"
    return line


def _named_url(target: str) -> str:
    """`git+https://host/project#egg=name` as `name @ git+https://host/project`."""
    if match := re.match(
        r"^(?P<url>[^#\s]+)#(?:.*&)?egg=(?P<name>[A-Za-z0-9._-]+(?:\[[^\]]*\])?)(?P<more>&\S*)?", target
    ):
        name = re.sub(r"-(?:dev|\d[\w.]*)$", "", match["name"])
        # GitHub switched the unauthenticated protocol off in 2022.
        url = re.sub(r"^git\+git://github\.com", "git+https://github.com", match["url"])
        return f"{name} @ {url}" + (f"#{match['more'][1:]}" if match["more"] else "")
    return target


def _unwanted(line: str) -> str:
    name = requirement_name(line) or ""
    if name in _NEVER:
        return "it is a slip of an old pip and on no index"
    if name in _STANDARD_LIBRARY and "@" not in line:
        return "it is part of Python"
    if name in _ONLY_WINDOWS and ";" not in line and sys.platform != "win32":
        return "it exists for Windows only"
    return ""


def _beside(name: str, file: Path, root: Path) -> Path:
    name = name.strip().strip("\"'")
    beside, under = (file.parent / name).resolve(), (root / name).resolve()
    if name.strip("./\\") == "" and not _is_project(beside):
        return under  # pip takes a bare dot for the folder it is called in
    return beside if beside.exists() or not under.exists() else under


def _is_project(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("pyproject.toml", "setup.py"))


def _shown(file: Path, root: Path) -> str:
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return file.name
