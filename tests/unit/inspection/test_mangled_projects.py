"""Projects with damaged files: every finder gives an answer."""

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carboy.inspection.reader import inspect_project
from carboy.model.facts import Facts

CASES = Path(__file__).parents[2] / "cases" / "inspection"
TOPICS = ("data", "deps", "migrations", "release", "variables", "secrets", "config", "uploads", "static", "build")
PROJECTS = [
    tomllib.loads(path.read_text(encoding="utf-8"))["files"]
    for topic in TOPICS
    for path in sorted(CASES.glob(f"{topic}_*.toml"))
]
JUNK = [
    "\0",
    "(",
    "[[",
    "\ufeff",
    "'''",
    "\x1a",
    "%",
    "{",
    "${",
    "../",
    "\\",
    "\u202e",
    "\ue000",
    "=" * 50,
    "\n\t\n",
    "é",
]


def inspect_files(files: dict[str, str]) -> Facts:
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace")
        return inspect_project(Path(folder))


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, str]:
    """A layout with lines cut, repeated, swapped between files, and junk put in."""
    files = dict(draw(st.sampled_from(PROJECTS)))
    for name in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=3)):
        text = files[name]
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, len(text)))
        other = files[draw(st.sampled_from(sorted(files)))]
        middle = draw(st.sampled_from([*JUNK, "", other, text[start:end] * 2]))
        files[name] = text[:start] + middle + text[end:]
    return files


@pytest.mark.requirement("D2")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(mangled())
def test_damage_never_ends_in_an_exception(files: dict[str, str]) -> None:
    """A damaged project still has facts, and every path in them stays inside it."""
    facts = inspect_files(files)
    paths = [fact.path for fact in facts.data if fact.path] + [fact.path for fact in facts.uploads]
    assert not any(path.startswith(("/", "..")) for path in paths)
    assert all(fact.evidence for fact in facts.data)
    assert all(fact.evidence for fact in facts.variables)
    assert all(fact.evidence for fact in facts.release_commands)
    assert all(fact.evidence for fact in facts.uploads)
    assert all(fact.evidence for fact in facts.static)


@pytest.mark.requirement("D2")
@pytest.mark.parametrize("number", range(0, len(PROJECTS), 9))
def test_the_same_project_gives_the_same_facts(number: int) -> None:
    """Reading twice gives equal facts, in the same order."""
    assert inspect_files(PROJECTS[number]).variables == inspect_files(PROJECTS[number]).variables
    assert inspect_files(PROJECTS[number]).warnings == inspect_files(PROJECTS[number]).warnings
