"""A build that takes long is cut and told as a failed build; what is not a build gets the time that is left."""

import sys

import pytest

from carboy.inspection.aged import diagnose
from carboy.model.command import Command, Completed
from carboy.release.patience import Patience
from carboy.remote.local import LocalConnector

pytestmark = pytest.mark.requirement("D4")


def ran(printed: str, *, seconds: float, left: float = 60.0, lasts: float = 30.0) -> Completed:
    """A program that prints as uv does and then lasts."""
    code = f"import sys, time; print({printed!r}, file=sys.stderr, flush=True); time.sleep({lasts})"
    patient = Patience(LocalConnector(), seconds, lambda: left)
    return patient.run(Command((sys.executable, "-c", code)), timeout=60)


def test_a_build_that_lasts_is_cut_and_recognised() -> None:
    """The package that is still compiled is blamed, and a Python with wheels for it is the first remedy."""
    answer = ran("   Building six==1.0\n      Built six==1.0\n   Building pandas==1.1.5", seconds=2)
    assert answer.timed_out
    assert answer.seconds < 20
    found = diagnose("\n".join(answer.lines), python_version="3.12")
    assert found is not None
    assert found.package == "pandas"
    assert found.remedies[0].python == "3.11"
    assert found.remedies[0].wheels == ("pandas",)


def test_what_is_not_compiled_gets_the_time_that_is_left() -> None:
    """A long download is not cut with the builds: the command is run again and ends."""
    answer = ran("Resolved 3 packages", seconds=1, lasts=2)
    assert answer.ok


def test_nothing_lasts_longer_than_the_time_that_is_left() -> None:
    """With no time left the command ends at once, and says why."""
    answer = ran("Resolved 3 packages", seconds=30, left=0)
    assert not answer.ok
    assert "no time left" in answer.lines[-1]
