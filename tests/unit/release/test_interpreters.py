"""Which Python an app gets."""

import os
from pathlib import Path

import pytest

from carboy.errors import Failed
from carboy.release.interpreters import Interpreter, choose_interpreter, find_interpreters

pytestmark = pytest.mark.requirement("D1")


def installed(*versions: str) -> tuple[Interpreter, ...]:
    found = []
    for version in versions:
        major, minor, *patch = (int(part) for part in version.split("."))
        found.append(Interpreter((major, minor), patch[0] if patch else None, f"/usr/bin/python{version}"))
    return tuple(found)


HERE = installed("3.8.18", "3.9", "3.10.4", "3.11.2", "3.12.1")


@pytest.mark.parametrize(
    ("wanted", "requires", "chosen"),
    [
        ("3.9", None, "3.9"),
        ("3.10.4", None, "3.10.4"),
        ("3.10.1", None, "3.10.4"),
        ("python-3.12.0", None, "3.12.1"),
        ("3.13", None, "3.12.1"),
        ("3.7", None, "3.8.18"),
        (None, ">=3.6,<3.10", "3.9"),
        (None, ">=3.9.5,<3.10", "3.9"),
        (None, ">=3.12", "3.12.1"),
        ("3.13", "<3.12", "3.11.2"),
        (None, "not a specifier", "3.11.2"),
    ],
)
def test_the_wanted_python_or_the_nearest(wanted: str | None, requires: str | None, chosen: str) -> None:
    """The wanted minor; else the nearest that the specifier allows."""
    assert choose_interpreter(HERE, wanted, requires).interpreter.version == chosen


def test_another_python_than_the_wanted_one_is_said() -> None:
    """The note names both."""
    assert choose_interpreter(HERE, "3.13").note == (
        "the project names Python 3.13, which is not installed: 3.12.1 is used"
    )
    assert choose_interpreter(HERE, "3.12").note == ""


@pytest.mark.parametrize(("wanted", "requires", "exactly"), [("3.13", None, True), (None, ">=3.13", False)])
def test_nothing_fitting_says_what_is_there(wanted: str | None, requires: str | None, exactly: bool) -> None:
    """The error lists the installed versions and how to get the other."""
    with pytest.raises(Failed) as caught:
        choose_interpreter(HERE, wanted, requires, exactly=exactly)
    assert "3.8.18, 3.9, 3.10.4, 3.11.2, 3.12.1" in str(caught.value)
    assert "uv python install 3.13" in caught.value.hint


def test_folders_of_version_managers_and_the_search_path_are_looked_through(tmp_path: Path) -> None:
    """Programs, not shims: a script on the path answers for another version or fails."""
    home, programs, shims = tmp_path / "home", tmp_path / "bin", tmp_path / "shims"
    for path in (
        home / ".pyenv/versions/3.9.1/bin/python",
        home / ".local/share/uv/python/cpython-3.13.0-linux-x86_64-gnu/bin/python",
        programs / "python3.10",
        programs / "python3.6m",
        shims / "python3.7",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x7fELF" + str(path).encode())
        path.chmod(0o755)
    (programs / "python3.8").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3.8").chmod(0o755)
    (home / ".pyenv/versions/pypy-broken").mkdir()
    found = {one.path: one.version for one in find_interpreters(f"{programs}{os.pathsep}{shims}", home)}
    mine = {path: version for path, version in found.items() if path.startswith(str(tmp_path))}
    assert sorted(mine.values()) == ["3.10", "3.13.0", "3.9.1"]


def test_the_tool_always_finds_its_own_python(tmp_path: Path) -> None:
    """Without anything on the path there is the Python that runs the tool."""
    assert find_interpreters("", tmp_path)
