"""Patterns of .gitignore."""

from pathlib import Path

import pytest

from carboy.inspection.gitignore import ignored_by
from carboy.inspection.index import build_index


@pytest.mark.requirement("D1")
@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("migrations/", "migrations/versions/a.py", True),
        ("migrations/", "migrations", False),
        ("/static/dist", "static/dist/x.js", True),
        ("/static/dist", "web/static/dist/x.js", False),
        ("dist", "web/static/dist/x.js", True),
        ("*.pyc", "a/b.pyc", True),
        ("**/versions/*.py", "m/versions/a.py", True),
        ("**/versions/*.py", "versions/a.py", True),
        ("a/**/z", "a/b/c/z", True),
        ("*.py[co]", "x.pyc", True),
        ("[", "x", False),
        ("# static", "# static", False),
        ("stat?c/", "static/a", True),
        ("static\n!static/keep.css", "static/keep.css", False),
    ],
)
def test_a_pattern_holds_as_git_reads_it(tmp_path: Path, pattern: str, path: str, ignored: bool) -> None:
    """Anchors, stars, folders, classes and exceptions mean what they mean to git."""
    (tmp_path / ".gitignore").write_text(pattern + "\n", encoding="utf-8")
    assert (ignored_by(build_index(tmp_path), path) is not None) == ignored


@pytest.mark.requirement("D1")
def test_a_file_of_a_folder_counts_below_it(tmp_path: Path) -> None:
    """A .gitignore in a folder is read for what lies in it."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / ".gitignore").write_text("/build\n", encoding="utf-8")
    index = build_index(tmp_path)
    place = ignored_by(index, "web/build/app.js")
    assert place is not None
    assert (place.file, place.line) == ("web/.gitignore", 1)
    assert ignored_by(index, "build/app.js") is None


@pytest.mark.requirement("D2")
@pytest.mark.parametrize("pattern", ["*" * 50 + "z", "**/" * 40 + "x", "*a" * 40, "?" * 400])
def test_a_pattern_made_to_take_for_ever_does_not(tmp_path: Path, pattern: str) -> None:
    """Patterns with many stars are answered at once."""
    (tmp_path / ".gitignore").write_text(pattern + "\n", encoding="utf-8")
    assert ignored_by(build_index(tmp_path), "a/" * 20 + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab") is None
