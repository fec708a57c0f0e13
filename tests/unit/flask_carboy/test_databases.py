"""Which databases are seen, and what is said of them."""

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask_carboy import database_clients as clients
from flask_carboy.databases import Recorder, sqlite_name

pytestmark = pytest.mark.requirement("D1")


def test_an_sqlite_file_is_seen_whoever_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening an SQLite file by any library is noted, by its absolute path."""
    recorder = Recorder()
    recorder.install()
    monkeypatch.chdir(tmp_path)
    for name in ("shop.db", ":memory:", "file:other.db?mode=rwc"):
        sqlite3.connect(name, uri=name.startswith("file:")).close()
    names = [entry["name"] for entry in recorder.databases() if entry["engine"] == "sqlite"]
    assert {":memory:", str(tmp_path / "shop.db"), str(tmp_path / "other.db")} <= set(names)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("", ":memory:"), (b"/a/b.db", "/a/b.db"), (Path("/a/b.db"), "/a/b.db"), ("/a/../b.db", "/b.db"),
        ("file::memory:?cache=shared", ":memory:"), ("file:x?mode=memory", ":memory:"), ("file:///a%20b.db", "/a b.db"),
    ],
)  # fmt: skip
def test_sqlite_names_are_plain_paths(given: Any, name: str) -> None:
    """Bytes, paths and URIs come to the same absolute path."""
    assert sqlite_name(given) == name


def url(
    drivername: str, database: str | None, host: str | None = None, port: int | None = None, query: Any = ()
) -> Any:
    told = SimpleNamespace(drivername=drivername, database=database, host=host, port=port, query=dict(query))
    return SimpleNamespace(url=told)


class PooledPostgresqlDatabase:
    def __init__(self, database: str | None, **told: object) -> None:
        self.database, self.connect_params = database, told


DB = PooledPostgresqlDatabase
PSYCOPG2 = {"host": "db", "dbname": "shop", "user": "me"}


@pytest.mark.parametrize(
    ("describe", "client", "entry"),
    [
        (clients._sqlalchemy, url("postgresql+psycopg2", "shop", "db"), ("postgresql", "db:5432", "shop")),
        (clients._sqlalchemy, url("postgres", "shop", "db", 6000), ("postgresql", "db:6000", "shop")),
        (clients._sqlalchemy, url("mariadb+pymysql", "shop"), ("mariadb", "localhost:3306", "shop")),
        (clients._sqlalchemy, url("postgresql", "s", query={"host": "/run/pg"}), ("postgresql", "/run/pg", "s")),
        (clients._sqlalchemy, url("sqlite", None), ("sqlite", "", ":memory:")),
        (clients._peewee, DB("shop", host="db", password="hush"), ("postgresql", "db:5432", "shop")),
        (clients._peewee, DB("postgresql://me:hush@db:6000/shop"), ("postgresql", "db:6000", "shop")),
        (clients._peewee, DB("dbname=shop user=me password=hush"), ("postgresql", "localhost:5432", "shop")),
        (clients._peewee, DB(None), None),
        (clients._redis, SimpleNamespace(connection_kwargs={"host": "r", "password": "x"}), ("redis", "r:6379", "0")),
        (clients._redis, SimpleNamespace(connection_kwargs={"path": "/run/r", "db": 2}), ("redis", "/run/r", "2")),
        (
            clients._pymongo,
            SimpleNamespace(_topology_settings=SimpleNamespace(seeds={("m", 27017)})),
            ("mongodb", "m:27017", ""),
        ),
        (
            clients._psycopg2,
            SimpleNamespace(get_dsn_parameters=lambda: PSYCOPG2),
            ("postgresql", "db:5432", "shop"),
        ),
        (
            clients._psycopg,
            SimpleNamespace(info=SimpleNamespace(host="db", port=5433, dbname="shop")),
            ("postgresql", "db:5433", "shop"),
        ),
        (
            clients._pymysql,
            SimpleNamespace(db=b"shop", unix_socket=None, host="db", port=3306),
            ("mysql", "db:3306", "shop"),
        ),
    ],
)
def test_a_client_is_described_without_its_credentials(describe: Any, client: Any, entry: Any) -> None:
    """Engine, address and name in one form, whatever the library; no user, no password."""
    assert list(describe(client)) == ([] if entry is None else [entry])


def run(tmp_path: Path, *words: str, **variables: str) -> tuple[int, dict[str, Any] | None, str]:
    """Run a command through `flask_carboy.exec`; its code, its report and its output."""
    report = tmp_path / "report.json"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CARBOY_", "FLASK_"))},
        "CARBOY_DATABASES_REPORT": str(report),
        "CARBOY_IMPORT_PATHS": str(tmp_path),
        "PYTHONPATH": str(Path(clients.__file__).parents[1]),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask_carboy.exec", *words],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    written = json.loads(report.read_text(encoding="utf-8")) if report.exists() else None
    return done.returncode, written, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("python", "prepare.py"), 0),
        (("python", "-u", "prepare.py", "7"), 7),
        (("python", "-m", "prepare", "raise"), 1),
        (("python", "-c", "import prepare"), 0),
    ],
)
def test_a_command_reports_what_it_opened(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    """A Python program's databases are reported, its exit code kept, when it fails too."""
    (tmp_path / "prepare.py").write_text(
        textwrap.dedent("""
        import sqlite3, sys
        sqlite3.connect("shop.db").close()
        how = sys.argv[1] if sys.argv[0] != "-c" and len(sys.argv) > 1 else "0"
        if how == "raise":
            raise ValueError("no")
        sys.exit(int(how))
        """),
        encoding="utf-8",
    )
    ended, report, _ = run(tmp_path, *words)
    entry = {"engine": "sqlite", "address": "", "name": str(tmp_path / "shop.db")}
    assert (ended, report) == (code, {"schema": 1, "databases": [entry]})


@pytest.mark.requirement("E5")
def test_flask_finds_the_app_with_its_secrets(tmp_path: Path) -> None:
    """`flask COMMAND` runs on the app that is served, in the same environment, and its databases are reported."""
    (tmp_path / "shop.py").write_text(
        textwrap.dedent("""
        import os, sqlite3
        from flask import Flask
        def create_app(kind, debug=True):
            app = Flask(__name__)
            @app.cli.command("prepare")
            def prepare():
                sqlite3.connect(f"{kind}-{debug}.db").close()
                print("secret has", len(os.environ["SECRET_KEY"]), "letters")
            return app
        """),
        encoding="utf-8",
    )
    (tmp_path / "key").write_text("hush\n", encoding="utf-8")
    (tmp_path / ".flaskenv").write_text("FLASK_APP=elsewhere\n", encoding="utf-8")
    code, report, output = run(
        tmp_path, "flask", "prepare",
        CARBOY_APP="shop:create_app('live', debug=False)", SECRET_KEY_FILE=str(tmp_path / "key"), PATH="/usr/bin:/bin",
    )  # fmt: skip
    assert (code, output) == (0, "secret has 4 letters\n")
    assert report is not None
    assert [entry["name"] for entry in report["databases"]] == [str(tmp_path / "live-False.db")]


def test_other_programs_are_run_as_they_are(tmp_path: Path) -> None:
    """What is no Python of this environment replaces this process: its code and its death by signal are its own."""
    assert run(tmp_path, "sh", "-c", "echo $A; exit 9", A="hello")[::2] == (9, "hello\n")
    assert run(tmp_path, "sh", "-c", "kill -TERM $$")[:2] == (-15, None)
    assert run(tmp_path, "no-such-program")[::2] == (127, "carboy: no-such-program: there is no such program\n")


def test_what_cannot_be_prepared_is_said_in_one_line(tmp_path: Path) -> None:
    """A missing secret or a wrong reference ends with code 2 and one line, without a traceback."""
    code, _, output = run(tmp_path, "sh", "-c", "exit 0", SECRET_KEY_FILE=str(tmp_path / "none"))
    assert (code, output.count("\n")) == (2, 1)
    code, _, output = run(tmp_path, "sh", "-c", "exit 0", CARBOY_APP="shop")
    assert (code, output.count("\n")) == (2, 1)
