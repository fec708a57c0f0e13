"""Every warning that inspection can give is explained."""

import ast
import re
from pathlib import Path

import pytest

import carboy.inspection
from carboy.inspection.explanations import EXPLANATIONS

FOLDER = Path(carboy.inspection.__file__).parent
CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def codes() -> set[str]:
    """The codes in calls of Warn and of its makers."""
    found: set[str] = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in {"Warn", "Hazard", "_listed"} and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


@pytest.mark.requirement("U3")
def test_every_code_is_explained() -> None:
    """A code that a user meets can be asked about."""
    assert codes() - set(EXPLANATIONS) == set()


def test_explanations_are_whole() -> None:
    """Codes are kebab-case; each has a meaning and a remedy, both of them sentences."""
    for code, about in EXPLANATIONS.items():
        assert CODE.fullmatch(code)
        assert about.meaning.endswith(".")
        assert len(about.meaning) > 30
        assert about.remedy.endswith(".")
