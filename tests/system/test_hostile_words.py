"""Hostile projects and the words a user types: an answer in time, the right exit code, nothing left or changed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.cli import alive, carboy, contents, write_project
from tests.system.hostile_cases import Hostile, hostile_cases

pytestmark = [pytest.mark.system, pytest.mark.requirement("D3", "U3")]

QUICK = {"CARBOY_HEALTH__TIMEOUT": "6"}
PATIENCE = 60.0  # seconds for one command, the making of an environment included
TRIED = (
    "import_aborts", "import_asks", "import_daemonizes", "import_exits", "import_exits_hard", "import_forks",
    "import_hangs", "import_ignores_sigterm", "import_needs_a_host", "import_prints_ten_megabytes",
    "import_deletes_its_project", "needs_many_variables", "no_flask", "none_instead_of_an_app", "null_bytes",
    "syntax_error", "wrong_encoding", "page_raises", "import_serves",
)  # fmt: skip
CASES = [case for case in hostile_cases() if case.name in TRIED]


def below(folder: Path) -> list[int]:
    """Processes that work below `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(folder)) and process.pid != os.getpid():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return [pid for pid in found if alive(pid)]


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    case: Hostile = request.param
    folder = case.write(tmp_path)
    if not (folder / "requirements.txt").exists():
        (folder / "requirements.txt").write_text("flask\n")
    yield folder
    carboy("down", folder)


def test_all_cases_that_are_named_exist() -> None:
    """A renamed case does not drop out of this test in silence."""
    assert {case.name for case in CASES} == set(TRIED)


@pytest.mark.parametrize("project", CASES, indirect=True, ids=lambda case: case.name)
def test_a_hostile_project_gets_an_answer_and_is_left_alone(project: Path) -> None:
    """`inspect` and `up` end in time with an exit code of the contract and a sentence, and change no byte."""
    before = contents(project)
    inspected = carboy("inspect", project, "--json", timeout=PATIENCE)
    assert inspected.code in (0, 1)
    assert inspected.json()["schema"] == 1
    begun = time.monotonic()
    ran = carboy("up", project, "--detach", timeout=PATIENCE, environment=QUICK)
    assert ran.code in (0, 3), ran.err
    assert time.monotonic() - begun < PATIENCE
    if ran.code == 3:
        assert "error: " in ran.err
        assert len(ran.err.split("error: ")[1].splitlines()[0]) > 10
    carboy("down", project)
    assert contents(project) == before
    assert not below(project)


def test_a_project_of_20000_files_is_read_in_time(tmp_path: Path) -> None:
    """Many files slow nothing down beyond a deadline, and the app among them is found."""
    folder = write_project(tmp_path, {"app.py": "from flask import Flask\napp = Flask(__name__)\n"})
    for number in range(200):
        part = folder / "data" / str(number)
        part.mkdir(parents=True)
        for item in range(100):
            (part / f"{item}.txt").touch()
    begun = time.monotonic()
    ran = carboy("inspect", folder, "--json", timeout=PATIENCE)
    assert time.monotonic() - begun < 30
    assert ran.json()["app"]["ref"] == "app:app"


def test_symlinks_that_loop_or_lead_away_are_not_followed(tmp_path: Path) -> None:
    """A loop of links neither hangs the reading nor lands in a release."""
    folder = write_project(
        tmp_path / "loop",
        {
            "app.py": "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef home():\n    return 'hi'\n",
            "requirements.txt": "flask\n",
        },
    )
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder)
    (folder / "self").symlink_to("self")
    (folder / "etc").symlink_to("/etc")
    ran = carboy("up", folder, "--detach", timeout=PATIENCE)
    assert ran.code == 0, ran.err
    release = folder / ".carboy" / "releases" / "1" / "source" / "loop"
    assert not (release / "etc").exists()
    assert not (release / "self").is_symlink()
    carboy("down", folder)


@pytest.mark.parametrize(
    "text", ["[server]\nworkers = 0\n", "[server\n", "[servr]\nkind='x'\n", "version = 99\n", "\0"]
)
def test_a_broken_plan_is_a_usage_fault(tmp_path: Path, text: str) -> None:
    """Exit code 2, the file and the line; never a traceback, and nothing is started."""
    folder = write_project(
        tmp_path, {"app.py": "from flask import Flask\napp = Flask(__name__)\n", "carboy.toml": text}
    )
    ran = carboy("up", folder, "--detach")
    assert ran.code == 2, ran.err
    assert "carboy.toml" in ran.err
