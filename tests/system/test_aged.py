"""Aged projects brought back to life: really installed, really imported, really changed until it works."""

import os
from datetime import date
from pathlib import Path

import pytest

from carboy.errors import Failed
from carboy.inspection.aged import diagnose
from carboy.inspection.probe import ProbeRequest, probe, throwaway_copy
from carboy.model.diagnosis import Diagnosis
from carboy.model.plan import App
from carboy.release.environment import Environment, EnvironmentRequest
from carboy.release.working_set import WorkingSet, working_set
from carboy.remote.local import LocalConnector
from tests.system.environments import installed_pythons
from tests.system.hostile_cases import snapshot

pytestmark = [pytest.mark.system, pytest.mark.requirement("D4")]

ROUTE = "\napp = Flask(__name__)\n\n\n@app.route('/')\ndef index():\n    return 'hello'\n"


def revive(
    folder: Path,
    requirements: str,
    code: str,
    *,
    python: str | None = None,
    last_commit: date | None = None,
    server: tuple[str, ...] = (),
) -> WorkingSet:
    """The working set of a project of one file, found as the workflow finds it."""
    project = folder / "project"
    project.mkdir()
    (project / "requirements.txt").write_text(requirements)
    (project / "app.py").write_text(code + ROUTE)
    before = snapshot(project)

    def told(output: str, version: str) -> Diagnosis | None:
        return diagnose(output, python_version=version, last_commit=last_commit)

    def imported(environment: Environment) -> str:
        with throwaway_copy(project) as copy:
            request = ProbeRequest(python=environment.python, source=copy, ref="app:app", inherited=os.environ)
            report = probe(request, LocalConnector())
        return "" if report.status == "ok" else report.traceback or report.message

    app = App(source="requirements.txt", manager="pip", python=python)
    request = EnvironmentRequest(source=project, envs=folder / "envs", app=app, server=server)
    found = working_set(request, LocalConnector(), diagnose=told, imports=imported)
    assert snapshot(project) == before
    return found


def test_flask_1_with_its_newest_companions_is_revived(tmp_path: Path) -> None:
    """Flask 1.1.2 alone installs and does not import; caps on its companions cure it, and the server stays ours."""
    found = revive(tmp_path, "flask==1.1.2\n", "from flask import Flask\n", server=("gunicorn>=23",))
    assert "jinja2<3.1" in found.app.packages
    assert found.changes
    assert (found.environment.bin / "gunicorn").exists()


def test_one_cure_after_the_other(tmp_path: Path) -> None:
    """Flask-SQLAlchemy 2 needs an older Flask, then an older SQLAlchemy: both are found."""
    code = "from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"
    found = revive(tmp_path, "flask\nflask-sqlalchemy==2.5.1\n", f"{code}\ndb.init_app(Flask('x'))\n")
    assert {"flask<2.3", "sqlalchemy<2"} <= set(found.app.packages)


def test_pkg_resources_comes_back_with_an_older_setuptools(tmp_path: Path) -> None:
    """A project that imports pkg_resources gets setuptools<81."""
    found = revive(tmp_path, "flask\n", "import pkg_resources\nfrom flask import Flask\n")
    assert found.app.packages == ("setuptools<81",)


def test_a_build_for_python_2_is_done_with_an_older_setuptools(tmp_path: Path) -> None:
    """The cap reaches the isolated build of a package that still says use_2to3."""
    found = revive(tmp_path, "flask\nanyjson==0.3.3\n", "import anyjson\nfrom flask import Flask\n")
    assert found.app.packages == ("setuptools<58",)


def test_a_given_up_extension_is_replaced_by_its_successor(tmp_path: Path) -> None:
    """Flask-Uploads is taken out and Flask-Reuploaded put in its place."""
    found = revive(tmp_path, "flask\nflask-uploads\n", "import flask_uploads\nfrom flask import Flask\n")
    assert found.app.packages[0] == "flask-reuploaded"


def test_pins_that_contradict_each_other_are_resolved(tmp_path: Path) -> None:
    """A Werkzeug pinned below what the pinned Flask wants gives way; the pin of Flask stays."""
    found = revive(tmp_path, "flask==2.2.2\nwerkzeug==0.16.1\n", "from flask import Flask\n")
    assert "werkzeug==0.16.1 of the project is replaced" in " ".join(found.environment.notes)
    assert not any("flask==2.2.2 of the project" in note for note in found.environment.notes)


def test_what_no_rule_knows_is_met_with_the_versions_of_its_time(tmp_path: Path) -> None:
    """An import of something long gone is cured by --exclude-newer with the last commit's date."""
    code = "from flask import Flask\nfrom flask.helpers import total_seconds\n"
    found = revive(tmp_path, "flask\n", code, last_commit=date(2020, 6, 1), server=("gunicorn>=23",))
    assert found.app.exclude_newer == "2020-06-02"


@pytest.mark.skipif(not {"3.12", "3.9"} <= installed_pythons(), reason="needs Python 3.12 and 3.9")
def test_another_python_is_taken_where_wheels_are_missing(tmp_path: Path) -> None:
    """numpy 1.19 has no wheel for 3.12: the next older Python that has one is used, without compiling anything."""
    found = revive(tmp_path, "flask\nnumpy==1.19.5\n", "import numpy\nfrom flask import Flask\n", python="3.12")
    assert found.app.python == "3.9"
    assert found.app.packages == ()


def test_what_cannot_be_cured_says_what_was_tried(tmp_path: Path) -> None:
    """A package that is on no index ends in one clear sentence with the next step."""
    with pytest.raises(Failed) as caught:
        revive(tmp_path, "flask\ncarboy-no-such-package-anywhere\n", "from flask import Flask\n")
    assert "carboy-no-such-package-anywhere" in str(caught.value)
    assert "carboy.toml" in caught.value.hint
