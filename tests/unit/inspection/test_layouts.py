"""Project layouts as data: each file in tests/cases/inspection is a small project and what must be found in it.

A case is one TOML file:

    description = "One sentence saying what holds."
    [files]      path = text          [binary]  path = hex digits          [symlinks]  path = target
    [folders]    empty = ["path"]     (optional)
    [expect]     keys of `carboy inspect --json`, dotted

An expectation is partial: what is not named is not looked at, what is named must be equal. `"<null>"` stands for null.
Places are written `file:line` or `file`; an `evidence` list names places that must be among those given.
KEY_has = "words" asks that the text KEY contains them.
A list of items is given as tables (partial, all of them, in order) or as strings (their main key, such as a
candidate's ref or a warning's code; the order of warnings and variables does not matter).
LIST_has names items that must be there among others; LIST_lacks names items that must not be.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from carboy.workflows.inspect import facts_to_json, inspect

CASES = Path(__file__).parents[2] / "cases" / "inspection"
MAIN_KEYS = {
    "candidates": "ref",
    "requirements": "name",
    "data": "engine",
    "release_commands": "command",
    "process_details": "name",
    "static": "url",
    "uploads": "path",
    "variables": "name",
    "build": "command",
    "warnings": "code",
}
UNORDERED = {"warnings", "variables", "requirements"}
TABLES = {"description", "files", "binary", "symlinks", "folders", "expect"}


def write_project(case: Mapping[str, Any], root: Path) -> Path:
    """Lay the case's files out under `root`."""
    project = root / str(case.get("name", "project"))
    project.mkdir()
    for path, text in case.get("files", {}).items():
        _parent(project, path).write_text(text, encoding="utf-8", newline="")
    for path, digits in case.get("binary", {}).items():
        _parent(project, path).write_bytes(bytes.fromhex(digits))
    for path, target in case.get("symlinks", {}).items():
        _parent(project, path).symlink_to(target)
    for path in case.get("folders", {}).get("empty", ()):
        (project / path).mkdir(parents=True)
    return project


def _parent(project: Path, path: str) -> Path:
    place = project / path
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def differences(expected: Mapping[str, Any], found: Mapping[str, Any], where: str = "") -> list[str]:
    """Every expectation that does not hold, in words; unknown keys are differences too."""
    faults: list[str] = []
    for key, value in expected.items():
        faults += _compare(key, value, found, f"{where}.{key}".lstrip("."))
    return faults


def _compare(key: str, value: Any, found: Mapping[str, Any], name: str) -> list[str]:
    if key == "evidence" and key in found:
        return _lacking([*value], _places(found[key]), name)
    if key in found:
        return _equal(key, value, found[key], name)
    base, _, how = key.rpartition("_")
    if how == "has" and isinstance(found.get(base), str) and isinstance(value, str):
        return [] if value in found[base] else [f"{name}: {value!r} is not in {found[base]!r}"]
    if how in {"has", "lacks"} and isinstance(found.get(base), list):
        return _among(base, value, found[base], name, wanted=how == "has")
    return [f"{name}: not a key of the output (of {', '.join(found)})"]


def _equal(key: str, value: Any, found: Any, name: str) -> list[str]:
    if value == "<null>":
        return [] if found is None else [f"{name}: expected null, found {found!r}"]
    if isinstance(value, dict) and isinstance(found, dict):
        if key == "processes":
            return [] if value == found else [f"{name}: expected {value!r}, found {found!r}"]
        return differences(value, found, name)
    if isinstance(value, list) and isinstance(found, list) and key in MAIN_KEYS:
        return _equal_lists(key, value, found, name)
    same = value == found and type(value) is type(found)
    return [] if same else [f"{name}: expected {value!r}, found {found!r}"]


def _equal_lists(key: str, value: list[Any], found: list[Any], name: str) -> list[str]:
    main = MAIN_KEYS[key]
    if key in UNORDERED:
        value = sorted(value, key=lambda item: str(item if isinstance(item, str) else item[main]))
        found = sorted(found, key=lambda item: str(item[main]))
    if len(value) != len(found):
        return [f"{name}: expected {value!r}, found {found!r}"]
    faults = []
    for number, (wanted, item) in enumerate(zip(value, found, strict=True)):
        faults += differences(_table(wanted, main), item, f"{name}[{number}]")
    return faults


def _among(key: str, value: list[Any], found: list[Any], name: str, *, wanted: bool) -> list[str]:
    if key not in MAIN_KEYS:
        return [f"{name}: {item!r} in {found!r}" for item in value if (item in found) is not wanted]
    faults = []
    for item in value:
        table = _table(item, MAIN_KEYS[key])
        unknown = [each for each in table if found and _odd(each, found[0])]
        hit = any(not differences(table, each) for each in found)
        if hit is not wanted or unknown:
            faults.append(f"{name}: {item!r} {'not ' if wanted else ''}in {found!r}")
    return faults


def _odd(key: str, item: Mapping[str, Any]) -> bool:
    return key not in item and key.rpartition("_")[0] not in item


def _table(item: Any, main: str) -> dict[str, Any]:
    return {main: item} if isinstance(item, str) else item


def _places(evidence: list[dict[str, Any]]) -> list[str]:
    named = [f"{place['file']}:{place['line']}" for place in evidence if place["line"] is not None]
    return named + [place["file"] for place in evidence]


def _lacking(wanted: list[str], found: list[str], name: str) -> list[str]:
    return [f"{name}: {place} is not among {found}" for place in wanted if place not in found]


@pytest.mark.requirement("D1")
@pytest.mark.requirement("D2")
@pytest.mark.parametrize("path", sorted(CASES.glob("**/*.toml")), ids=lambda path: path.relative_to(CASES).as_posix())
def test_layout_is_read_as_expected(path: Path, tmp_path: Path) -> None:
    """What the case expects is what is found, and reading leaves the project as it was."""
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(case) <= TABLES | {"name"}, f"unknown tables: {set(case) - TABLES}"
    assert case["description"].endswith(".")
    assert case["expect"], "a case without expectations proves nothing"
    project = write_project(case, tmp_path)
    before = _snapshot(project)
    faults = differences(case["expect"], facts_to_json(inspect(project)))
    assert not faults, "\n".join([case["description"], *faults])
    assert _snapshot(project) == before


def _snapshot(project: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(project).as_posix(): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in sorted(project.rglob("*"))
    }


def test_unknown_expectations_are_faults() -> None:
    """A misspelt expectation fails its case instead of passing unseen."""
    found = {"app": {"ref": "a:b", "candidates": [{"ref": "a:b", "evidence": []}]}, "warnings": []}
    assert differences({"app": {"reff": "a:b"}}, found)
    assert differences({"apps": {"ref": "a:b"}}, found)
    assert differences({"app": {"candidates": [{"rf": "a:b"}]}}, found)
    assert differences({"warnings_has": ["debug-on"]}, found)
    assert differences({"app": {"candidates_lacks": [{"rf": "a:b"}]}}, found)
    assert not differences({"app": {"ref": "a:b", "candidates": ["a:b"]}, "warnings": []}, found)
