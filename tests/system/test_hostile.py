"""Projects that misbehave: each gets a clear answer within the deadline, and leaves nothing."""

import os
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from carboy.inspection.probe import ProbeRequest, probe, throwaway_copy
from carboy.model.probe import ProbeReport
from carboy.remote.local import LocalConnector
from tests.system.environments import flask_python
from tests.system.hostile_cases import Hostile, hostile_cases, snapshot

pytestmark = [pytest.mark.system, pytest.mark.requirement("D3")]

DEADLINE = 6.0
GRACE = 8.0  # for copying, sweeping and a busy machine
CASES = list(hostile_cases())


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flask_python(tmp_path_factory.mktemp("environment"))


def look(project: Path, python: Path, *, try_pages: bool = False, deadline: float = DEADLINE) -> ProbeReport:
    with throwaway_copy(project) as copy:
        request = ProbeRequest(
            python=python,
            source=copy,
            ref="app:app",
            inherited={**os.environ, "PLANTED_SECRET": "planted"},
            deadline=deadline,
            try_pages=try_pages,
            project=project,
        )
        return probe(request, LocalConnector())


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies lie below tmp_path, so that what a probe left behind can be told from what runs beside the tests."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def processes_below(folder: Path) -> list[list[str]]:
    """The command lines of processes that work below `folder` or have it in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            place = str(folder)
            if process.cwd().startswith(place) or any(value.startswith(place) for value in process.environ().values()):
                found.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_project_gets_a_clear_answer(case: Hostile, python: Path, tmp_path: Path) -> None:
    """The status and the sentence are as the case says, in time; the project is untouched and no process is left."""
    project = case.write(tmp_path)
    before = snapshot(project)
    started = time.monotonic()
    report = look(project, python, try_pages=bool(case.expect.get("try_pages")))
    assert time.monotonic() - started < DEADLINE + GRACE
    assert report.status == case.expect["status"], report
    assert snapshot(project) == before
    assert processes_below(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    check_details(case, report)


def check_details(case: Hostile, report: ProbeReport) -> None:
    expect = case.expect
    assert expect.get("message", "") in report.message, report.message
    assert any(expect.get("note", "") in note for note in (*report.notes, "")), report.notes
    if "missing" in expect:
        assert report.missing == expect["missing"]
    if "placeholders" in expect:
        assert list(report.placeholders) == expect["placeholders"]
    if "written" in expect:
        assert list(report.written) == expect["written"]
    if "pages" in expect:
        pages = [f"{page.path} {'-' if page.status is None else page.status}" for page in report.pages]
        assert pages == expect["pages"]
    assert "\n" not in report.message
    assert len(report.output) <= 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_says_what_it_shows(case: Hostile) -> None:
    """A case has a sentence, and expects something."""
    assert case.description.endswith(".")
    assert case.expect["status"]


def test_twenty_thousand_files_are_copied_and_probed(python: Path, tmp_path: Path) -> None:
    """A project of 20,000 files is probed within a minute."""
    project = tmp_path / "large"
    for number in range(200):
        folder = project / f"data{number}"
        folder.mkdir(parents=True)
        for name in range(100):
            (folder / f"{name}.txt").write_text("x")
    (project / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\napp.route('/')(lambda: 'x')\n")
    started = time.monotonic()
    assert look(project, python, deadline=30).status == "ok"
    assert time.monotonic() - started < 60


def test_links_that_go_in_circles_or_out_are_not_followed(python: Path, tmp_path: Path) -> None:
    """Links to themselves, to a parent and out of the project end neither the copy nor the probe."""
    project = tmp_path / "links"
    (project / "deep").mkdir(parents=True)
    (project / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\napp.route('/')(lambda: 'x')\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    (project / "itself").symlink_to("itself")
    (project / "deep" / "up").symlink_to("..")
    (project / "out").symlink_to(tmp_path / "outside")
    (project / "out.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    os.mkfifo(project / "pipe")
    with throwaway_copy(project) as copy:
        assert not (copy / "out.txt").exists()
        assert not (copy / "out" / "secret.txt").exists()
    assert look(project, python).status == "ok"
