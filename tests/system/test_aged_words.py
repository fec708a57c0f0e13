"""Aged projects as a user has them, from the words a user types: what is said, what cures, and what is left alone."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import carboy, contents, get, write_project
from tests.support.ports import unused_port
from tests.support.schemas import check
from tests.system.environments import installed_pythons

pytestmark = [pytest.mark.system, pytest.mark.requirement("D4"), pytest.mark.timeout(300)]

ROUTE = """
@app.route("/")
def index():
    return "hello"
"""


@dataclass(frozen=True)
class Aged:
    """A project: its requirements, its code before the route, and words of the package and the reason."""

    requirements: str
    code: str
    package: str
    reason: str

    def files(self) -> dict[str, str]:
        return {"requirements.txt": self.requirements, "app.py": f"{self.code}\n{ROUTE}"}


PLAIN = "from flask import Flask\napp = Flask(__name__)\n"
FLASK_1 = Aged("Flask==1.0.2\nWerkzeug\nJinja2\nitsdangerous\n", PLAIN, "flask", "this Flask 1 does not go with")
SQLALCHEMY = Aged(
    "Flask\nFlask-SQLAlchemy==2.4.4\nSQLAlchemy\n",
    f"from flask_sqlalchemy import SQLAlchemy\n{PLAIN}"
    "app.config.update(SQLALCHEMY_DATABASE_URI='sqlite://', SQLALCHEMY_TRACK_MODIFICATIONS=False)\n"
    "db = SQLAlchemy(app)\n\nclass Note(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n",
    "flask",
    "Flask 2.3 took _app_ctx_stack away",
)
PKG_RESOURCES = Aged(
    "Flask==3.0.3\nsetuptools\n",
    f"import pkg_resources\n{PLAIN}VERSION = pkg_resources.get_distribution('flask').version\n",
    "setuptools",
    "pkg_resources was part of setuptools",
)
SECURE_FILENAME = Aged(
    "Flask==1.1.1\n",
    f"from werkzeug import secure_filename\n{PLAIN}NAME = secure_filename('a b')\n",
    "werkzeug",
    "Werkzeug 1 took secure_filename out of its top module",
)
CONTRIB = Aged(
    "Flask>=0.12\n",
    f"from werkzeug.contrib.fixers import ProxyFix\n{PLAIN}app.wsgi_app = ProxyFix(app.wsgi_app)\n",
    "werkzeug",
    "Werkzeug 1 took werkzeug.contrib away",
)
WTF = Aged(
    "Flask==2.0.3\nFlask-WTF==0.14.3\nWTForms\n",
    "from flask_wtf import FlaskForm\nfrom flask_wtf.recaptcha import RecaptchaField\nfrom wtforms import StringField\n"
    f"{PLAIN}app.secret_key = 'x' * 40\n\nclass Ask(FlaskForm):\n    name = StringField()\n",
    "werkzeug",
    "Werkzeug 3 took url_quote away",
)
SCRIPT = Aged(
    "Flask==0.12\nFlask-Script==2.0.6\n",
    f"from flask_script import Manager\n{PLAIN}manager = Manager(app)\n",
    "flask",
    "this Flask 1 does not go with",
)
PSYCOPG2 = Aged(
    "Flask==1.1.2\npsycopg2==2.8.6\n",
    f"import psycopg2\n{PLAIN}",
    "psycopg2",
    "this psycopg2 is older than Python 3.11",
)
OLDER = {"3.9", "3.10", "3.11"}
needs_older = pytest.mark.skipif(not installed_pythons() >= OLDER, reason="needs Python 3.9, 3.10 and 3.11")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "project"
    yield place
    carboy("down", place)


def up(project: Path, *more: str, code: int = 0) -> tuple[dict[str, Any], str]:
    # The first free port would be taken by others while a set is looked for.
    ran = carboy("up", project, "--detach", "--json", "--port", str(unused_port()), *more)
    assert ran.code == code, ran.err
    data = ran.json()
    check("up" if code == 0 else "error", data)
    return data, ran.err


def edited(project: Path) -> None:
    """A change of the source, so that the next `up` stages a release."""
    with (project / "app.py").open("a") as stream:
        stream.write("\n# edited\n")


@pytest.mark.parametrize(
    "aged",
    [
        pytest.param(FLASK_1, id="flask-1", marks=needs_older),
        pytest.param(SQLALCHEMY, id="flask-sqlalchemy-2"),
        pytest.param(PKG_RESOURCES, id="pkg-resources"),
        pytest.param(CONTRIB, id="werkzeug-contrib"),
        pytest.param(WTF, id="flask-wtf-0"),
        pytest.param(SECURE_FILENAME, id="werkzeug-top", marks=pytest.mark.long),
        pytest.param(SCRIPT, id="flask-script", marks=pytest.mark.long),
        pytest.param(PSYCOPG2, id="psycopg2-compiled", marks=[pytest.mark.long, needs_older]),
    ],
)
def test_an_aged_project_is_told_then_mended(folder: Path, aged: Aged) -> None:
    """Without the word: package, reason, remedy. With it: served, files as they were, and the set is used again."""
    project = write_project(folder, aged.files())
    before = contents(project)
    said = carboy("up", project, "--detach")
    assert said.code == 3, said.err
    assert f": {aged.package}: {aged.reason}" in said.err
    assert re.search(r"\((?:add|use) .+\)", said.err)
    assert "try: carboy up --fix-requirements" in said.err

    served, _ = up(project, "--fix-requirements")
    assert get(served["url"]) == (200, "hello")
    assert contents(project) == before

    edited(project)
    again = carboy("up", project, "--detach")
    assert again.code == 0, again.err
    assert "with the set found by --fix-requirements" in again.err
    assert get(served["url"]) == (200, "hello")


def test_a_key_of_the_user_wins_over_the_set_that_was_found(folder: Path) -> None:
    """What carboy.toml says about packages is used, though a set was found before."""
    project = write_project(folder, PKG_RESOURCES.files())
    up(project, "--fix-requirements")
    (project / "carboy.toml").write_text('[app]\npackages = ["setuptools<70"]\n')
    ran = carboy("up", project, "--detach")
    assert ran.code == 0, ran.err
    assert "with the set found by --fix-requirements" not in ran.err
    shown = carboy("run", "-C", project, "python", "-c", "import setuptools; print(setuptools.__version__)")
    assert int(shown.out.split(".")[0]) < 70


def test_a_secret_does_not_hide_age(folder: Path) -> None:
    """A project with a secret in .env is told its age too: what has a known sign is not put down to the secret."""
    code = f"import asyncio\n{PLAIN}\n@asyncio.coroutine\ndef old():\n    yield\n"
    files = {"requirements.txt": "Flask\n", "app.py": f"{code}\n{ROUTE}", ".env": "SECRET_KEY=abcdefabcdefabcdef\n"}
    fault, _ = up(write_project(folder, files), code=3)
    assert "asyncio.coroutine, which Python 3.11 took away" in json.dumps(fault)


def test_the_date_of_the_last_commit_gives_the_versions(folder: Path) -> None:
    """What no rule knows is met with the versions of the day after the project's last commit."""
    code = f"from flask.helpers import total_seconds\n{PLAIN}"
    project = write_project(folder, {"requirements.txt": "Flask\n", "app.py": f"{code}\n{ROUTE}"})
    git(project, "init", "-q")
    git(project, "add", "app.py", "requirements.txt")
    git(project, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "As it was")
    fault, _ = up(project, code=3)
    assert "moved on since the project's last commit in November 2019" in json.dumps(fault)
    served, _ = up(project, "--fix-requirements")
    assert get(served["url"]) == (200, "hello")
    kept = json.loads((project / ".carboy" / "working-set.json").read_text("utf-8"))
    assert kept["keys"]["app.exclude_newer"] == "2019-11-05"


def git(project: Path, *words: str) -> None:
    day = "2019-11-04T12:00:00+0000"
    dates = {"GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *words], cwd=project, check=True, env={**os.environ, **dates}, timeout=30)


def test_init_tells_age_as_a_note(folder: Path) -> None:
    """`carboy init` writes its plan and notes that it is not proven, with the same reason as `up`."""
    project = write_project(folder, PKG_RESOURCES.files())
    ran = carboy("init", project, "--json")
    assert ran.code == 0, ran.err
    notes = " ".join(ran.json()["notes"])
    assert f"{PKG_RESOURCES.package}: {PKG_RESOURCES.reason}" in notes
    assert "setuptools<81" in notes
