"""Failures of aged projects, as they were recorded, and what is told from them."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from carboy.inspection.aged import diagnose, python_of
from carboy.inspection.aged_builds import BUILD_RULES
from carboy.inspection.aged_imports import IMPORT_RULES
from carboy.model.diagnosis import Diagnosis, Remedy
from carboy.model.facts import Requirement

pytestmark = pytest.mark.requirement("D4")

CASES = sorted((Path(__file__).parents[2] / "cases" / "aged").glob("*.toml"))


def load(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def first(diagnosis: Diagnosis) -> str:
    """The first remedy in the words of the cases."""
    if not diagnosis.remedies:
        return "nothing"
    remedy = diagnosis.remedies[0]
    if remedy.kind == "python":
        return f"python {remedy.python}"
    return f"system {remedy.packages[0]}" if remedy.kind == "system" else remedy.packages[0]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_recorded_failure_is_recognised(file: Path) -> None:
    """The package is named, with a reason, and the likeliest remedy comes first."""
    case = load(file)
    diagnosis = diagnose(case["output"], python_version=case["python"])
    assert diagnosis is not None
    assert diagnosis.package == case["expect"]["package"]
    assert first(diagnosis) == case["expect"]["first"], diagnosis
    assert "{" not in diagnosis.reason
    assert diagnosis.reason


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_general_answer_comes_last(file: Path) -> None:
    """With the date of the last commit, the versions of that time are offered last; not for what does not build."""
    case = load(file)
    diagnosis = diagnose(case["output"], python_version=case["python"], last_commit=date(2020, 6, 1))
    assert diagnosis is not None
    dates = [remedy.exclude_newer for remedy in diagnosis.remedies]
    assert ("2020-06-02" in dates) is ("Failed to build" not in case["output"])
    assert dates == sorted(dates, key=lambda day: day is not None)


def test_the_python_of_the_projects_time_is_tried_first() -> None:
    """What 2017 pinned is tried on 3.8 at once, not on each Python on the way there."""
    output = tomllib.loads((CASES[0].parent / "build_gevent.toml").read_text("utf-8"))["output"]
    diagnosis = diagnose(output, python_version="3.12", last_commit=date(2017, 3, 1))
    assert diagnosis is not None
    pythons = [remedy.python for remedy in diagnosis.remedies if remedy.kind == "python"]
    assert pythons == ["3.8", "3.9", "3.10", "3.11"]


def test_an_unknown_import_error_gets_the_versions_of_its_time() -> None:
    """A name that no rule knows is met with --exclude-newer, first on this Python and then on the one of that time."""
    unpinned = (Requirement("flask", "", ()), Requirement("wtforms", "==2.2", ()))
    found = diagnose(
        "ImportError: cannot import name 'total_seconds' from 'flask.helpers' (x.py)",
        requirements=unpinned,
        python_version="3.11.7",
        last_commit=date(2021, 1, 31),
    )
    assert found is not None
    assert found.package == "flask"
    assert found.remedies == (
        Remedy("exclude-newer", exclude_newer="2021-02-01"),
        Remedy("exclude-newer", exclude_newer="2021-02-01", python="3.8"),
    )


@pytest.mark.parametrize(
    "output",
    [
        "",
        "ZeroDivisionError: division by zero",
        "FileNotFoundError: [Errno 2] No such file or directory: 'config.ini'",
        "ModuleNotFoundError: No module named 'shop'",
    ],
)
def test_a_failure_that_is_no_matter_of_age_is_left_alone(output: str) -> None:
    """Nothing is diagnosed where nothing speaks of a library or a Python that moved on."""
    assert diagnose(output, python_version="3.12") is None


def test_psycopg_that_the_project_asks_for_is_not_blamed_on_sqlalchemy() -> None:
    """Only where psycopg 3 is not among the requirements is its absence SQLAlchemy 2.1's doing."""
    output = "ModuleNotFoundError: No module named 'psycopg'"
    blamed = diagnose(output, python_version="3.12")
    assert blamed is not None
    assert blamed.package == "sqlalchemy"
    asked = (Requirement("psycopg", ">=3", ()),)
    assert diagnose(output, requirements=asked, python_version="3.12") is None


def test_pythons_that_are_offered_are_older_than_the_one_that_failed() -> None:
    """On Python 3.10, a cure by an older Python offers 3.9 and older only."""
    diagnosis = diagnose("cannot import name 'Mapping' from 'collections' (x.py)", python_version="3.10")
    assert diagnosis is not None
    assert [remedy.python for remedy in diagnosis.remedies] == ["3.9", "3.8"]


@pytest.mark.parametrize(
    ("day", "python"),
    [
        (date(2016, 1, 1), "3.8"),
        (date(2020, 6, 1), "3.8"),
        (date(2022, 1, 1), "3.9"),
        (date(2024, 6, 1), "3.12"),
        (date(2026, 1, 1), "3.13"),
    ],
)
def test_a_time_has_its_python(day: date, python: str) -> None:
    """The Python of a time is one that libraries had wheels for by then, and one that the extension runs on."""
    assert python_of(day) == python


@pytest.mark.parametrize("rule", [*BUILD_RULES, *IMPORT_RULES], ids=lambda rule: rule.reason[:60])
def test_every_rule_can_say_its_sentence(rule: Any) -> None:
    """Reason, package and remedies have only places that are filled."""
    words = {"failed": "thing", "pin": "1", "python": "3.12"}
    lines = [rule.reason, rule.package, *rule.packages, *(line for lines in rule.otherwise for line in lines)]
    assert all("{" not in line.format("name", **words) for line in lines)
    assert rule.sign.groups or not any("{0}" in line for line in lines)
