"""Probes of real apps in real environments: what an app is, has and does, told by importing it."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from carboy.inspection.probe import ProbeRequest, probe, throwaway_copy
from carboy.model.probe import Opened, ProbeReport
from carboy.remote.local import LocalConnector
from tests.system.environments import environment, flask_python, installed_pythons
from tests.system.hostile_cases import snapshot

pytestmark = [pytest.mark.system, pytest.mark.requirement("D3")]

SHOP = """
from flask import Flask, Blueprint
from flask.views import MethodView

def create_app(config="development", *, debug=False):
    app = Flask(__name__)
    app.debug = debug
    app.config["NAME"] = config
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def index():
        return config

    @pages.route("/items/<int:item>", methods=["GET", "POST"])
    def item(item):
        return str(item)

    app.register_blueprint(pages)

    @app.cli.command("load-data")
    def load_data():
        pass

    return app

app = create_app()

class holder:
    inner = app
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flask_python(tmp_path_factory.mktemp("flask"))


@pytest.fixture(scope="module")
def rich_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rich")
    return environment(folder, "flask[async]", "flask-sqlalchemy", "peewee", "a2wsgi", "flask-socketio").python


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / "shop" / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "shop"

    return write


def look(project: Path, python: Path, ref: str = "app:app", **more: Any) -> ProbeReport:
    with throwaway_copy(project) as copy:
        request = ProbeRequest(python=python, source=copy, ref=ref, inherited=os.environ, project=project, **more)
        return probe(request, LocalConnector())


def test_a_flask_app_is_described(project: Callable[..., Path], python: Path) -> None:
    """Interface, versions, routes with arguments and methods, its own commands, static files; nothing was made up."""
    folder = project(app=SHOP)
    (folder / "static" / "deep").mkdir(parents=True)
    (folder / "static" / "style sheet.css").write_text("a")
    (folder / "static" / "deep" / "x.js").write_text("a")
    (folder / "static" / ".hidden").write_text("a")
    report = look(folder, python)
    assert (report.status, report.interface, report.message) == ("ok", "wsgi", "app:app is a Flask app with 3 routes")
    assert report.flask
    assert report.python == ".".join(map(str, sys.version_info[:3]))
    routes = {route.rule: route for route in report.routes}
    assert routes["/items/<int:item>"].arguments == ("item",)
    assert routes["/items/<int:item>"].methods == ("GET", "POST")
    assert routes["/"].endpoint == "pages.index"
    assert "load-data" in report.commands
    assert report.static_url == "/static"
    assert report.static_files == ("/static/style%20sheet.css", "/static/deep/x.js")
    assert not report.placeholders + report.written
    assert report.pages == ()
    assert report.traceback == ""


@pytest.mark.parametrize(
    ("ref", "debug"),
    [
        ("app:app", False),
        ("app:create_app()", False),
        ("app:create_app('production')", False),
        ("app:create_app('production', debug=True)", True),
        ("app:holder.inner", False),
    ],
)
def test_every_form_of_a_reference_is_understood(
    project: Callable[..., Path], python: Path, ref: str, debug: bool
) -> None:
    """Objects, attributes of attributes, factories with literal arguments by position and by name."""
    report = look(project(app=SHOP), python, ref)
    assert (report.status, report.debug) == ("ok", debug)


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        ("app:create_app", "app:create_app is a function: as a factory it is written app:create_app()"),
        ("app:nothing", "app has no attribute 'nothing'"),
        ("app:holder", "app:holder is a class, not an app"),
        ("app:create_app(open('x'))", ""),
        ("app:app +", "is not an attribute or a call with literal arguments"),
        ("nowhere:app", "nowhere"),
    ],
)
def test_a_wrong_reference_gets_a_sentence(project: Callable[..., Path], python: Path, ref: str, sentence: str) -> None:
    """Nothing is served that is no app, and the sentence says what is there instead."""
    report = look(project(app=SHOP), python, ref)
    assert report.status in ("no-app", "import-error")
    assert sentence in report.message


def test_folder_and_import_paths_are_importable(project: Callable[..., Path], python: Path) -> None:
    """An app in a subfolder with its modules in src is imported as a server would."""
    folder = project(backend__wsgi="from shop.core import app\n", src__shop__core=SHOP)
    assert look(folder, python, "wsgi:app", folder="backend", import_paths=("src",)).status == "ok"


def test_other_callables_are_told_apart(project: Callable[..., Path], rich_python: Path) -> None:
    """Plain WSGI, wrapped Flask, ASGI functions, classes and bridges."""
    folder = project(
        app=SHOP,
        other="""
from a2wsgi import WSGIMiddleware
from app import app as flask_app
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.middleware.dispatcher import DispatcherMiddleware

def wsgi(environ, start_response):
    return []
async def asgi(scope, receive, send):
    pass
class Asgi:
    async def __call__(self, scope, receive, send):
        pass
asgi_object = Asgi()
bridge = WSGIMiddleware(flask_app)
fixed = ProxyFix(flask_app)
mounted = DispatcherMiddleware(flask_app, {})
bound = flask_app.wsgi_app
""",
    )
    seen = {name: look(folder, rich_python, f"other:{name}") for name in INTERFACES}
    assert {name: report.interface for name, report in seen.items()} == INTERFACES
    assert len(seen["fixed"].routes) == len(seen["mounted"].routes) == len(seen["bound"].routes) == 3


INTERFACES = {
    "wsgi": "wsgi",
    "asgi": "asgi",
    "asgi_object": "asgi",
    "bridge": "asgi",
    "fixed": "wsgi",
    "mounted": "wsgi",
    "bound": "wsgi",
}


def test_async_views_are_seen(project: Callable[..., Path], rich_python: Path) -> None:
    """Coroutine functions, coroutine methods of view classes, and decorated ones."""
    views = """
import functools
from flask import Flask
from flask.views import MethodView
app = Flask(__name__)

def same(view):
    @functools.wraps(view)
    def wrapper(*a, **k):
        return app.ensure_sync(view)(*a, **k)
    return wrapper

@app.get("/plain")
def plain(): return ""
@app.get("/a")
async def a(): return ""
@app.get("/b")
@same
async def b(): return ""
class C(MethodView):
    async def get(self): return ""
app.add_url_rule("/c", view_func=C.as_view("c"))
"""
    report = look(project(app=views), rich_python, try_pages=True)
    assert report.async_views
    assert {r.endpoint for r in report.routes if r.asynchronous} == {"a", "b", "c"}
    assert {page.status for page in report.pages} == {200}


def test_databases_are_seen_without_a_password(project: Callable[..., Path], rich_python: Path) -> None:
    """SQLAlchemy engines, Peewee databases and sqlite3 connections, with addresses and in terms of the project."""
    code = """
import sqlite3
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
import peewee
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
db = SQLAlchemy(app)
with app.app_context():
    db.engine
import sqlalchemy
reports = peewee.PostgresqlDatabase("reports", user="bob", password="hunter2", host="db.example", port=5433)
sqlite3.connect("plain.db")
app.route("/")(lambda: "")
"""
    folder = project(app=code)
    report = look(folder, rich_python)
    assert Opened("sqlite", "", str(folder / "instance" / "shop.db")) in report.opened
    assert Opened("sqlite", "", str(folder / "plain.db")) in report.opened
    assert Opened("postgresql", "db.example:5433", "reports") in report.opened
    assert "hunter2" not in repr(report)
    assert "sqlalchemy" in report.extensions
    assert "plain.db" in report.written


def test_pages_are_tried_on_a_scratch_database(project: Callable[..., Path], rich_python: Path) -> None:
    """Tables are made in the copy, so that a page that needs them answers; the project's own file is not touched."""
    code = """
from flask import Flask, redirect
from flask_sqlalchemy import SQLAlchemy
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
db = SQLAlchemy(app)
class Item(db.Model):
    id = db.Column(db.Integer, primary_key=True)
@app.get("/items")
def items(): return str(Item.query.count())
@app.get("/")
def index(): return redirect("/items")
@app.get("/login")
def login(): return "", 401
@app.get("/delete-all")
def delete_all(): raise SystemExit
@app.post("/buy")
def buy(): raise SystemExit
@app.get("/items/<int:item>")
def item(item): raise SystemExit
"""
    folder = project(app=code)
    before = snapshot(folder)
    report = look(folder, rich_python, try_pages=True)
    assert [(page.path, page.status) for page in report.pages] == [("/", 302), ("/items", 200), ("/login", 401)]
    assert snapshot(folder) == before


def test_socketio_does_not_serve_at_import(project: Callable[..., Path], rich_python: Path) -> None:
    """`socketio.run(app)` outside of a main guard returns at once, and a note says so."""
    code = "from flask import Flask\nfrom flask_socketio import SocketIO\napp = Flask(__name__)\n"
    code += "app.route('/')(lambda: '')\nSocketIO(app).run(app)\n"
    report = look(project(app=code), rich_python)
    assert report.status == "ok"
    assert any("calls SocketIO.run (app.py:5)" in note for note in report.notes)


def test_no_secret_of_the_user_reaches_the_app(project: Callable[..., Path], python: Path) -> None:
    """Of what is around, only PATH and the locale are passed on; what is handed in on purpose arrives."""
    code = "import os\nfrom flask import Flask\napp = Flask(__name__)\napp.route('/')(lambda: '')\n"
    code += "print(dict(os.environ))\n"
    with throwaway_copy(project(app=code)) as copy:
        request = ProbeRequest(
            python=python,
            source=copy,
            ref="app:app",
            variables={"SHOP_NAME": "given"},
            inherited={**os.environ, "AWS_SECRET_ACCESS_KEY": "planted-secret", "HOME": "/home/planted"},
        )
        report = probe(request, LocalConnector())
    assert "planted" not in repr(report)
    assert "'SHOP_NAME': 'given'" in report.output[-1]


def test_one_deadline_holds_for_all_tries(project: Callable[..., Path], python: Path) -> None:
    """An import that is slow each time and wants one more variable each time does not take tries times deadline."""
    code = "import os, time\ntime.sleep(1)\n" + "".join(f"os.environ['SHOP_{n}']\n" for n in range(12))
    started = time.monotonic()
    report = look(project(app=code), python, deadline=5.0)
    assert time.monotonic() - started < 12
    assert report.status in ("missing-variable", "timeout")
    assert report.placeholders


def test_the_traceback_is_cut_to_the_project(project: Callable[..., Path], python: Path) -> None:
    """Frames of the import machinery are gone; the innermost frame of a library stays, with a short path."""
    folder = project(app="from flask import Flask\nFlask()\n")
    report = look(folder, python)
    assert report.status == "import-error"
    assert 'File "app.py", line 2' in report.traceback
    assert "importlib" not in report.traceback
    assert str(folder) not in report.traceback
    assert report.message.startswith("app.py:2: TypeError: ")


AGED = [
    ("3.6", ("flask==1.1.4", "markupsafe<2.1")),
    ("3.7", ("flask==1.1.4", "markupsafe<2.1")),
    ("3.8", ("flask==1.1.2", "jinja2<3", "markupsafe<2.1", "itsdangerous<2", "werkzeug<1")),
    ("3.9", ("flask==2.0.3", "werkzeug<3")),
    ("3.10", ("flask==2.2.5", "werkzeug<3")),
    ("3.12", ("flask==3.0.3",)),
    ("3.13", ("flask",)),
]


@pytest.mark.parametrize(("version", "packages"), AGED, ids=[version for version, _ in AGED])
def test_every_python_and_flask_is_probed(
    project: Callable[..., Path], tmp_path: Path, version: str, packages: tuple[str, ...]
) -> None:
    """From Python 3.6 with Flask 1.1 to the newest, with the same answers."""
    if version not in installed_pythons():
        pytest.skip(f"Python {version} is not installed")
    python = environment(tmp_path, *packages, python=version, exactly=True).python
    code = "import os\nfrom flask import Flask\nos.environ['SHOP_KEY']\napp = Flask(__name__)\n"
    code += "@app.route('/')\ndef index(): return 'hello'\n@app.route('/bad')\ndef bad(): 1 / 0\n"
    report = look(project(app=code), python, try_pages=True)
    assert (report.status, report.placeholders) == ("ok", ("SHOP_KEY",)), report
    assert report.flask
    assert report.flask.startswith(packages[0].removeprefix("flask").removeprefix("=="))
    assert [(page.path, page.status) for page in report.pages] == [("/", 200), ("/bad", 500)]
