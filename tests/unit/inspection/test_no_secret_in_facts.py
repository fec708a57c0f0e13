"""Facts never hold a secret that stands in the project."""

from pathlib import Path

import pytest

from carboy.inspection.reader import inspect_project

FILES = {
    "app.py": """
import os
import pymysql
from flask import Flask
app = Flask(__name__)
app.secret_key = "PLANTED-1"
app.config["MAIL_PASSWORD"] = "PLANTED-2"
app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql://u:PLANTED-3@db.example.org/x"
API_TOKEN = os.environ.get("API_TOKEN", "PLANTED-4")
conn = pymysql.connect(host="h", password="PLANTED-5")


@app.route("/")
def index():
    return ""
""",
    "requirements.txt": (
        "--extra-index-url https://user:PLANTED-6@pypi.example.org/simple\nflask\n"
        "private @ git+https://x:PLANTED-7@git.example.org/a/b.git\n"
        "git+https://PLANTED-8@git.example.org/a/c.git#egg=c\n"
        "git+ssh://git:PLANTED-9@git.example.org/a/d.git\n"
    ),
    ".env": "SECRET_KEY=PLANTED-10\n",
    ".env.example": "API_TOKEN=PLANTED-11\n",
}


@pytest.mark.requirement("D3")
def test_planted_secrets_stay_out(tmp_path: Path) -> None:
    """Keys, passwords in addresses and tokens of private packages are named by place only."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    facts = inspect_project(tmp_path)
    assert "PLANTED" not in repr(facts)
    assert {"private", "c", "d"} <= {requirement.name for requirement in facts.dependencies.requirements}
    codes = {warning.code for warning in facts.warnings}
    assert {"secret-key-literal", "secret-literal", "database-literal", "private-source"} <= codes


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    "line",
    [
        "release: SECRET_KEY=PLANTED-1 flask db upgrade",
        "release: export API_TOKEN='PLANTED-2 x' && flask db upgrade",
        'worker: DB_PASSWORD="PLANTED-3" celery -A app worker --loglevel=info',
        "worker: celery -A app -b redis://:PLANTED-4@cache:6379/0 worker",
        "worker: python worker.py --password PLANTED-5 --api-key=PLANTED-6",
        "worker: DATABASE_URL=postgres://u:PLANTED-7@db/x python worker.py",
    ],
)
def test_values_in_command_lines_are_masked(tmp_path: Path, line: str) -> None:
    """What a Procfile sets in front of a command or gives it as an option is hidden where it looks like a secret."""
    (tmp_path / "app.py").write_text(FILES["app.py"], encoding="utf-8")
    (tmp_path / "Procfile").write_text(f"web: gunicorn app:app\n{line}\n", encoding="utf-8")
    facts = inspect_project(tmp_path)
    assert facts.processes or facts.release_commands
    assert "PLANTED" not in repr(facts)


@pytest.mark.requirement("D3")
def test_what_is_no_secret_stays(tmp_path: Path) -> None:
    """Commands keep their variables, options and references to the environment."""
    command = "QUEUE=high python worker.py --queue mail --password $WORKER_PASSWORD --token-file /run/token"
    (tmp_path / "app.py").write_text(FILES["app.py"], encoding="utf-8")
    (tmp_path / "Procfile").write_text(f"web: gunicorn app:app\nworker: {command}\n", encoding="utf-8")
    assert [process.command for process in inspect_project(tmp_path).processes] == [command]
