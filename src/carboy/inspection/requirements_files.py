"""Files in pip's requirements format, as people write them: includes, constraints, hashes, markers, addresses."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from carboy.inspection.index import Index
from carboy.model.facts import Place, Requirement
from carboy.model.secret import MASK

# What markers are read for: a release runs on Linux, on a Python that is still maintained.
_TARGET = {
    "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "python_version": "3.12",
    "python_full_version": "3.12.0", "implementation_name": "cpython", "platform_python_implementation": "CPython",
    "platform_machine": "x86_64", "extra": "",
}  # fmt: skip
_INCLUDE = re.compile(r"^(?:-r|--requirements?)[\s=]*(?P<path>[^\s#]+)")
_CONSTRAINT = re.compile(r"^(?:-c|--constraints?)[\s=]*(?P<path>[^\s#]+)")
_EDITABLE = re.compile(r"^(?:-e|--editable)[\s=]*(?P<target>.+)$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.\-]*)")
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(.*)$")
# What needs no parser: a name, perhaps with extras and plain versions. The library that reads the rest loads slowly.
_PLAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9, _-]*\])?"
    r"(?:\s*(?:[<>!=]=|[<>])\s*\d+(?:\.\d+)*(?:\s*,\s*(?:[<>!=]=|[<>])\s*\d+(?:\.\d+)*)*)?"
)
_DEEPEST = 8
LONGEST = 1000  # characters of one requirement: brackets and digits beyond that are meant to hurt


@dataclass
class RequirementsFile:
    """What a requirements file comes to, includes followed. `itself` says that it installs the project (`-e .`)."""

    files: list[str] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    itself: bool = False


def read_requirements(index: Index, path: str) -> RequirementsFile:
    """Parse `path` and everything it includes; lines that say nothing are passed over."""
    result = RequirementsFile()
    _read(index, path, result, constraint=False, deep=0)
    return result


def _read(index: Index, path: str, result: RequirementsFile, *, constraint: bool, deep: int) -> None:
    if deep > _DEEPEST or path in result.files or not index.has(path):
        return
    result.files.append(path)
    for line, text in logical_lines(index.text(path) or ""):
        if _follow(index, path, text, result, deep) or constraint:
            continue
        editable = _EDITABLE.match(text)
        wanted = editable["target"].strip() if editable else text
        if re.match(r"^\.{1,2}/?(\[|$|\s)", wanted):
            result.itself = True
        elif not wanted.startswith("-"):
            requirement = parse_requirement(wanted, Place(path, line))
            if requirement and requirement.name not in {known.name for known in result.requirements}:
                result.requirements.append(requirement)


def _follow(index: Index, path: str, text: str, result: RequirementsFile, deep: int) -> bool:
    include, constraint = _INCLUDE.match(text), _CONSTRAINT.match(text)
    found = include or constraint
    if not found:
        return False
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), found["path"].strip("\"'")))
    _read(index, target, result, constraint=constraint is not None, deep=deep + 1)
    return True


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with continuations joined and comments cut, numbered from where they begin."""
    start, held = 0, ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        start = start or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        joined = (held + line).strip().strip("\ufeff\0")
        if joined:
            yield start, joined
        start, held = 0, ""
    if held.strip():
        yield start, held.strip()


def parse_requirement(text: str, place: Place) -> Requirement | None:
    """One requirement, also where it is not quite as the standard wants it; None where its marker rules it out."""
    wanted = re.split(r"\s--(?:hash|global-option|install-option|config-settings)", text, maxsplit=1)[0].strip()
    if len(wanted) > LONGEST:
        return None
    egg = _EGG.search(wanted)
    if re.match(r"^[a-z+]+://|^[a-z]+\+|^file:|^git@|^\.{1,2}/|.*\.(whl|zip|tar\.gz)$", wanted) and " @ " not in wanted:
        name = egg[1] if egg else name_of_address(wanted)
        return Requirement(normal_name(name), f"@ {masked(wanted)}", (place,)) if name else None
    if _PLAIN.fullmatch(wanted):
        return _loosely(wanted, place)
    from packaging.requirements import InvalidRequirement  # slow to load, and most lines are plain
    from packaging.requirements import Requirement as Parsed

    try:
        parsed = Parsed(wanted)
    except InvalidRequirement:
        return _loosely(wanted, place)
    if parsed.marker is not None and not applies(str(parsed.marker)):
        return None
    spec = f"@ {masked(parsed.url)}" if parsed.url else _written_spec(wanted)
    return Requirement(normal_name(parsed.name), spec, (place,))


def normal_name(name: str) -> str:
    """A distribution's name as indexes compare it: small letters, with single dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def masked(address: str) -> str:
    """An address without the token or password in it: facts are printed and kept. The `git@` of SSH is no secret."""
    hidden = re.sub(r"(https?://)[^/@\s]+@", rf"\1{MASK}@", address)
    return re.sub(r"://([^/@:\s]*):[^/@\s]+@", rf"://\1:{MASK}@", hidden)


def applies(marker: str) -> bool:
    """Whether a marker holds where releases run; one that cannot be read does."""
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    try:
        return Marker(marker).evaluate(_TARGET)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return True


def _written_spec(text: str) -> str:
    match = _NAME.match(text.split(";", 1)[0])
    return (match[3] if match else "").strip().strip("()").replace(" ", "")


def _loosely(text: str, place: Place) -> Requirement | None:
    match = _NAME.match(text.split(";", 1)[0])
    if not match or (match[3] and not re.match(r"^[=<>!~@(^]", match[3])):
        return None
    return Requirement(normal_name(match[1]), match[3].strip().replace(" ", ""), (place,))


def name_of_address(address: str) -> str:
    """The project's name in an address: its repository, or the first part of an archive's file name."""
    last = re.split(r"[?#]", address)[0].rstrip("/").rsplit("/", 1)[-1].split("@")[0]
    if re.search(r"\.(whl|zip|tar\.gz)$", last):
        return re.split(r"-\d", last)[0]
    found = re.match(r"^([A-Za-z0-9][\w.-]*?)(\.git)?$", last)
    return found[1] if found else ""
