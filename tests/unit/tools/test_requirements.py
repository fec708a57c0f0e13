"""tools/requirements.py reads promises, asks pytest for marks, and sorts them."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.sources import ROOT
from tools.requirements import Promise, promises, report

MARKED = """
import pytest
pytestmark = [pytest.mark.requirement("A1")]
KIND = {"one": "D1"}

@pytest.mark.requirement("B1", "B2")
def test_one(): raise AssertionError("not run")

class TestIt:
    pytestmark = pytest.mark.requirement("C1")
    @pytest.mark.parametrize("x", [pytest.param(n, marks=pytest.mark.requirement(KIND["one"])) for n in range(3)])
    def test_two(self, x): pass
"""
ASK = "import sys; from pathlib import Path; from tools.requirements import holders; print(holders(Path(sys.argv[1])))"


def test_marks_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """On a test, a class, a parameter or the whole module, worked out ones too; each test is named once."""
    (tmp_path / "test_it.py").write_text(MARKED, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    requirement(id): x\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", ASK, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    one, two = "test_it.py::test_one", "test_it.py::TestIt::test_two"
    expected = {"B1": [one], "B2": [one], "A1": [one, two], "D1": [two], "C1": [two]}
    assert ast.literal_eval(done.stdout) == expected


def test_the_list_is_read_whole() -> None:
    """Every row of docs/requirements.md is a promise, each id once."""
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    rows = promises(text)
    assert len(rows) == sum(line.startswith("| ") for line in text.splitlines()) - 1  # the table's heading
    assert len({row.id for row in rows}) == len(rows)
    assert [row.id for row in rows if row.emulated] == ["T7", "T8", "T9", "T10", "T11", "T12", "T13"]


def test_only_real_things_hold_a_promise() -> None:
    """Quick tests alone hold it in part; a system test holds it, or emulates it; an unknown id is told."""
    rows = [Promise("A1", "a", False), Promise("B1", "b", False), Promise("C1", "c", True), Promise("D1", "d", False)]
    held = {"A1": ["tests/unit/test_a.py::test_it"], "B1": ["tests/system/test_b.py::test_it"]}
    held |= {"C1": ["tests/system/test_c.py::test_it"], "Z9": ["tests/unit/test_z.py::test_it"]}
    lines = list(report(rows, held))
    titles = ["held: 1 of 4", "emulated: 1 of 4", "in part, by quick tests alone: 1 of 4", "not yet: 1 of 4"]
    assert [line for line in lines if " of 4" in line] == titles
    assert "         tests/system/test_b.py::test_it" in lines
    assert lines[-1] == "unknown id Z9: tests/unit/test_z.py::test_it"
