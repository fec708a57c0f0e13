"""Every fault of a plan at once, with its line and what was meant: the cases of tests/cases/planfile/faults.toml."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from carboy.errors import EXIT_USAGE, PlanFaults
from carboy.planfile.load import load_plan

CASES = tomllib.loads((Path(__file__).parents[2] / "cases" / "planfile" / "faults.toml").read_text(encoding="utf-8"))


@pytest.mark.requirement("U3")
@pytest.mark.parametrize("case", CASES["case"], ids=lambda case: case["name"])
def test_all_faults_are_told_at_once(case: dict[str, Any], tmp_path: Path) -> None:
    """A plan that cannot be used is refused whole, with every fault, its line and the next step."""
    (tmp_path / case.get("file", "carboy.toml")).write_text(case["plan"], encoding="utf-8")
    with pytest.raises(PlanFaults) as caught:
        load_plan(
            tmp_path,
            tier=case.get("tier", "production"),
            facts=None,
            environment=case.get("environment", {}),
            overrides=case.get("overrides", {}),
        )
    assert list(caught.value.faults) == case["faults"]
    assert caught.value.exit_code == EXIT_USAGE
    told = "\n".join([str(caught.value), caught.value.hint, *caught.value.details])
    assert [hint for hint in case.get("hints", []) if hint not in told] == []
    assert [secret for secret in case.get("never", []) if secret in told] == []


@pytest.mark.requirement("U3")
def test_one_fault_has_the_form_of_every_error(tmp_path: Path) -> None:
    """A single fault is told as `error: WHERE: WHAT` and `try: HINT`, without a count."""
    (tmp_path / "carboy.toml").write_text("\n\n[server]\nworker = 3\n", encoding="utf-8")
    with pytest.raises(PlanFaults) as caught:
        load_plan(tmp_path, facts=None, environment={})
    assert str(caught.value) == "carboy.toml:4: server.worker: unknown key"
    assert caught.value.hint == "did you mean server.workers?"
    assert caught.value.details == ()


@pytest.mark.requirement("U3")
def test_a_plan_in_two_places_is_refused(tmp_path: Path) -> None:
    """carboy.toml and [tool.carboy] together would leave it open which one holds."""
    (tmp_path / "carboy.toml").write_text("version = 1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.carboy]\nversion = 1\n", encoding="utf-8")
    with pytest.raises(PlanFaults, match="two places"):
        load_plan(tmp_path, facts=None, environment={})


@pytest.mark.requirement("U3")
def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Bytes of another encoding are named as such, without a traceback."""
    (tmp_path / "carboy.toml").write_bytes("# Größe\n".encode("latin-1"))
    with pytest.raises(PlanFaults, match=r"carboy\.toml: this file is not UTF-8"):
        load_plan(tmp_path, facts=None, environment={})


@pytest.mark.requirement("E2")
@pytest.mark.parametrize("text", ["[tool.black]\nx = 1\n", "this is = = no TOML", "# carboy is not used here\n"])
def test_a_pyproject_of_others_is_not_our_matter(text: str, tmp_path: Path) -> None:
    """A pyproject.toml without [tool.carboy], a broken one too, is no plan and no fault."""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert load_plan(tmp_path, facts=None, environment={}).path is None
