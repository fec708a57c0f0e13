"""From the reference to the app."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask_carboy import loading
from flask_carboy.errors import StartFault
from flask_carboy.loading import load, parse

MODULE = """
import re
import subprocess
import sys
from types import SimpleNamespace
from flask import Flask
app = Flask(__name__)
holder = SimpleNamespace(web=SimpleNamespace(app=app))
seen = []
def create_app(*args, **kwargs):
    seen.append((args, kwargs))
    return app
def bare(): return app
def needs(config): return app
def nothing(): return None
def leaves(): sys.exit(1)
number = 7
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"shop_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.requirement("S7")
@pytest.mark.parametrize("expression", ["app", "holder.web.app", "bare()", "create_app()", "create_app ( 'x', )"])
def test_every_form_of_reference_finds_the_app(shop: str, expression: str) -> None:
    """An attribute, a dotted one, and a factory with or without arguments name the app."""
    assert load(f"{shop}:{expression}", "wsgi").name == shop


def test_a_factory_gets_its_arguments(shop: str) -> None:
    """Literal arguments arrive as written, named ones too."""
    load(f"{shop}:create_app('production', 2, debug=False, extra={{'a': [None]}})", "wsgi")
    assert sys.modules[shop].seen == [(("production", 2), {"debug": False, "extra": {"a": [None]}})]


@pytest.mark.parametrize(
    "text",
    [
        "shop", "shop:", ":app", "shop:app + 1", "shop:f(x)", "shop:f(*a)", "shop:f(**k)", "shop:f()()", "shop:f().app",
        "shop:__import__('os').system('x')", "shop:app[0]", "sh op:app", "../shop:app", "shop:lambda: 0", "shop:'app'",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_never_evaluated(text: str) -> None:
    """Only names and plain values are understood; an expression is not run."""
    with pytest.raises(StartFault):
        parse(text)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nosuch", "has no attribute 'nosuch'"),
        ("bare", "is a factory: write"),
        ("needs", "cannot be called as WSGI apps are"),
        ("needs()", "missing 1 required positional argument"),
        ("nothing()", "returned nothing"),
        ("number", "is no WSGI app but of type int"),
        ("leaves()", "SystemExit: 1"),
    ],
)
def test_a_wrong_object_is_refused_in_one_line(
    shop: str, expression: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wrong object is never served; the reason stands in one line on stderr, and an exit becomes an exception."""
    with pytest.raises(StartFault, match=re.escape(message)):
        load(f"{shop}:{expression}", "wsgi")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("carboy: ")
    assert message in line


def test_an_app_that_runs_itself_at_import_starts_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`app.run()` without a guard becomes a line in the log, and works again afterwards."""
    (tmp_path / "runs_itself.py").write_text(
        "from flask import Flask\nfrom werkzeug.serving import run_simple\napp = Flask(__name__)\n"
        "app.run(port=1)\nrun_simple('127.0.0.1', 1, app)\nafter = 1\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    from flask import Flask

    run = Flask.run
    assert load("runs_itself:app", "wsgi").name == "runs_itself"
    assert capsys.readouterr().err.count("at import is ignored") == 2
    assert Flask.run is run


def test_nothing_is_loaded_that_an_app_may_want_to_patch() -> None:
    """Until the app is imported, no module is loaded that gevent's or eventlet's patching must come before."""
    code = (
        "import sys; from flask_carboy import wrap; wrap.prepare(); "
        "print({'ssl', 'socket', 'threading', 'asyncio', 'queue', 'select', 'flask', 'werkzeug'} & set(sys.modules))"
    )
    source = Path(loading.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(source)}, capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")
