"""An app of Flask 1.1 on Python 3.8, served and run as any other."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.system.environments import environment, installed_pythons
from tests.system.wrapped import SHOP, crowd, running, variables

PINS = ("flask==1.1.4", "werkzeug<2.1", "jinja2<3.1", "markupsafe<2.1", "itsdangerous<2.1", "gunicorn", "waitress")

pytestmark = [pytest.mark.system, pytest.mark.requirement("S7", "D4")]


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that an app of 2020 has."""
    if "3.8" not in installed_pythons():
        assert os.environ.get("CARBOY_NO_SKIP") != "1", "Python 3.8 is missing here (and CARBOY_NO_SKIP=1)"
        pytest.skip("missing here: Python 3.8")
    return environment(tmp_path_factory.mktemp("aged"), *PINS, python="3.8").python.parent


@pytest.mark.parametrize(
    "words",
    [
        ["gunicorn", "-k", "gthread", "--threads", "16", "-b", "127.0.0.1:PORT", "flask_carboy.serve:application"],
        ["python", "-m", "flask_carboy.waitress", "--port", "PORT"],
    ],
    ids=lambda words: words[0],
)
def test_an_aged_app_is_served(aged: Path, tmp_path: Path, words: list[str]) -> None:
    """Proxy headers, health, gate and a crowd's answers are right on Python 3.8 and Flask 1.1."""
    with running(tmp_path, [str(aged / words[0]), *words[1:]], SECRET_KEY="hush") as started:
        seen = json.loads(started.ask("/", {"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "abcdefgh"})[2])
        assert (seen["client"], seen["id"]) == ("203.0.113.9", "abcdefgh")
        report = json.loads(started.ask("/.carboy/gate", {"X-Carboy-Gate": "the-token"})[2])
        assert [entry["engine"] for entry in report["databases"]] == ["sqlite"]
        assert crowd(started, ("plain",)) == {"ok": 64 * 25}
        assert started.stop() == 0


def test_an_aged_app_is_run(aged: Path, tmp_path: Path) -> None:
    """`flask` and scripts run in the app's environment, and their databases are reported."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    report = tmp_path / "report.json"
    done = subprocess.run(
        [str(aged / "python"), "-m", "flask_carboy.exec", "flask", "routes"],
        cwd=tmp_path, env=variables(tmp_path, CARBOY_DATABASES_REPORT=str(report)), capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "/plain/<n>" in done.stdout
    assert [entry["name"] for entry in json.loads(report.read_text())["databases"]] == [str(tmp_path / "shop.db")]
