"""The one sentence of uv's output that matters, in outputs as they were recorded."""

import tomllib
from pathlib import Path

import pytest

from carboy.release.uv_program import failed_package, reason

pytestmark = pytest.mark.requirement("D4")

CASES = Path(__file__).parents[2] / "cases" / "aged"


@pytest.mark.parametrize(
    ("case", "package", "sentence"),
    [
        ("build_gevent", "gevent", "longintrepr.h: No such file or directory"),
        ("build_mysql", "mysqlclient", "OSError: mysql_config not found"),
        ("build_numpy", "numpy", "ModuleNotFoundError: No module named 'distutils'"),
        ("build_use2to3", "anyjson", "error in anyjson setup command: use_2to3 is invalid."),
        ("resolve_nover", "flask", "Because there is no version of flask==0.99 and you require flask==0.99"),
        ("resolve_notfound", "flask-my-private-thing-qq", "was not found in the package registry"),
        ("resolve_needs_newer_python", "flask", "does not satisfy Python>=3.9"),
    ],
)
def test_the_reason_and_the_package_are_found(case: str, package: str, sentence: str) -> None:
    """Out of pages of compiler output comes the line that says why."""
    output = tomllib.loads((CASES / f"{case}.toml").read_text("utf-8"))["output"]
    assert failed_package(output) == package
    assert sentence in reason(output)
    assert "\n" not in reason(output)


def test_the_older_form_of_uvs_answers_is_read_too() -> None:
    """uv drew a tree before it wrote `cause:`."""
    output = (
        "  × No solution found when resolving dependencies:\n"
        "  ╰─▶ Because there is no version of flask==0.99 and you require\n"
        "      flask==0.99, we can conclude that your requirements are unsatisfiable.\n"
    )
    assert reason(output) == (
        "Because there is no version of flask==0.99 and you require flask==0.99, "
        "we can conclude that your requirements are unsatisfiable."
    )


@pytest.mark.parametrize(
    ("output", "sentence"), [("", "uv said nothing"), ("error: no disk\n", "no disk"), ("x\n", "x")]
)
def test_there_is_always_a_sentence(output: str, sentence: str) -> None:
    """Whatever uv said, something can be told."""
    assert reason(output) == sentence
