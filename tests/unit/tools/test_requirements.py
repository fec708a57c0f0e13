"""tools/requirements.py reads promises and markers."""

import ast
from pathlib import Path

from tests.support.sources import ROOT
from tools.requirements import Promise, holders, marks, promises, report

MARKED = """
import pytest
pytestmark = [pytest.mark.requirement("A1"), pytest.mark.system]

@pytest.mark.requirement("B1", "B2")
def test_one(): pass

class TestIt:
    pytestmark = pytest.mark.requirement("C1")
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement("D1"))])
    def test_two(self, x): pass
    def helper(self): pass
"""


def test_markers_are_found_wherever_they_stand() -> None:
    """On a test, a class, a parameter or the whole module."""
    found = set(marks(ast.parse(MARKED)))
    one = {("test_one", name) for name in ("A1", "B1", "B2")}
    assert found == one | {("TestIt::test_two", name) for name in ("A1", "C1", "D1")}


def test_the_list_is_read_whole() -> None:
    """Every row of docs/requirements.md is a promise, each id once."""
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    rows = promises(text)
    assert len(rows) == sum(line.startswith("| ") for line in text.splitlines()) - 1  # the table's heading
    assert len({row.id for row in rows}) == len(rows)
    assert [row.id for row in rows if row.emulated] == ["T7", "T8", "T9", "T10", "T11", "T12", "T13"]


def test_only_real_things_hold_a_promise(tmp_path: Path) -> None:
    """Quick tests alone hold it in part; a system test holds it, or emulates it."""
    for name, identifier in (("unit/test_a.py", "A1"), ("system/test_b.py", "B1"), ("system/test_c.py", "C1")):
        path = tmp_path / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'import pytest\n@pytest.mark.requirement("{identifier}")\ndef test_it(): pass\n')
    rows = [Promise("A1", "a", False), Promise("B1", "b", False), Promise("C1", "c", True), Promise("D1", "d", False)]
    lines = list(report(rows, holders(tmp_path / "tests")))
    titles = ["held: 1 of 4", "emulated: 1 of 4", "in part, by quick tests alone: 1 of 4", "not yet: 1 of 4"]
    assert [line for line in lines if " of 4" in line] == titles
    assert "         tests/system/test_b.py::test_it" in lines
