"""Projects that try to break reading: loops, devices, huge and deep files, wrong encodings, thousands of files."""

import os
import time
from pathlib import Path

import pytest

from carboy.errors import UsageFault
from carboy.inspection.reader import inspect_project

APP = "from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef index(): return ''\n"

pytestmark = [pytest.mark.requirement("D1"), pytest.mark.requirement("D3")]


def test_symlinks_that_loop_or_leave_are_not_followed(tmp_path: Path) -> None:
    """Loops end, and what a link outside the project points to is not read."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text(APP.replace("app =", "stolen ="), encoding="utf-8")
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    (project / "app.py").write_text(APP, encoding="utf-8")
    (project / "deep" / "again").symlink_to(project, target_is_directory=True)
    (project / "self").symlink_to("self")
    (project / "stolen.py").symlink_to(outside / "secret.py")
    (project / "folder").symlink_to(outside, target_is_directory=True)
    facts = inspect_project(project)
    assert [candidate.ref for candidate in facts.app.candidates] == ["app:app"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_are_left_alone(tmp_path: Path) -> None:
    """A named pipe called like a Python file does not hang the reading."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.py")
    assert inspect_project(tmp_path).app.ref == "app:app"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("latin.py", "# caf\xe9\nprice = '\xa3'\n".encode("latin-1")),
        ("declared.py", b"# -*- coding: no-such-codec -*-\nx = 1\n"),
        ("zeros.py", b"\0\0\0\0"),
        ("random.py", bytes(range(256)) * 40),
        ("deep.py", b"x = " + b"(" * 3000 + b")" * 3000),
        ("long.py", b"x = " + b"+".join([b"1"] * 20000)),
        ("huge.py", b"x = [" + b"0," * 1_200_000 + b"]"),
    ],
)
def test_files_that_cannot_be_read_do_not_hide_the_app(tmp_path: Path, name: str, data: bytes) -> None:
    """A broken neighbour costs a warning at most."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / name).write_bytes(data)
    facts = inspect_project(tmp_path)
    assert facts.app.ref == "app:app"
    assert facts.app.certainty == "certain"


@pytest.mark.parametrize(
    "source",
    [
        "app = app\n",
        "from app import app\n",
        "from . import app\nfrom .app import *\n",
        "def f(): return g()\ndef g(): return f()\napp = f()\n",
        "class A(B): pass\nclass B(A): pass\napp = A()\n",
        "import app\napp = app.app.app.app\n",
        "f = lambda: f()\napp = f()\n",
        "a = b\nb = c\nc = a\napp = (a or b)(c)\n",
        "from flask import Flask\ndef f(x): return f(Flask(x))\napp = f(1)\n",
        "from flask import Flask\napp = Flask(__name__)\napp = app.wsgi_app = app\n",
        "try:\n  x\nexcept* ValueError:\n  y = 1\nmatch y:\n  case [1, *z]: app = z\n",
        "if __name__ == '__main__': pass\nelse: app = 1\n",
        "type A = int\n",
    ],
)
def test_names_that_go_in_circles_come_to_an_end(tmp_path: Path, source: str) -> None:
    """Definitions that lead back to themselves are read in moments."""
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    before = time.monotonic()
    inspect_project(tmp_path)
    assert time.monotonic() - before < 5


def test_many_functions_that_call_each_other_stay_cheap(tmp_path: Path) -> None:
    """A chain where each function returns one of several others does not grow with every level."""
    lines = ["from flask import Flask"]
    lines += [f"def f{n}(a):\n    if a: return f{n + 1}(a)\n    return f{n + 2}(f{n + 1}(a))" for n in range(60)]
    lines += ["def f60(a): return Flask(a)", "def f61(a): return a", "app = f0('x')"]
    (tmp_path / "app.py").write_text("\n".join(lines), encoding="utf-8")
    before = time.monotonic()
    inspect_project(tmp_path)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Procfile", "web gunicorn\n:::\nweb: 'unclosed\n\nweb:\n"),
        ("Dockerfile", 'CMD ["gunicorn", \nENTRYPOINT [1, {}]\nENV\nFROM\nCMD []\nENV A\n'),
        ("docker-compose.yml", "services:\n  web:\n    command: >\n\n  - \n\t- x\ncommand:\n- - -\n"),
        ("pyproject.toml", "[project\nname = \n"),
        ("setup.cfg", "no section\n[options]\npython_requires\n"),
        ("uwsgi.ini", "[uwsgi]\nmodule\nmodule =\nwsgi-file = ../../../etc/passwd\n"),
        ("fly.toml", '[processes]\nweb = "gunicorn ${X:-} \'"\n'),
        ("package.json", "{]"),
        ("app.service", "ExecStart=\nExecStart=gunicorn\nEnvironment=\n=\n"),
        ("start.sh", "cd\ncd ..\ncd /\nexec gunicorn \\\n"),
        (".env", "FLASK_APP=\nFLASK_APP='\n=\nexport\n"),
        ("supervisord.conf", "[program:]\ncommand=\n[program:x]\ncommand=uwsgi --ini\n"),
        ("README.md", "```\n$ FLASK_APP= flask run\n$ gunicorn -w\n`gunicorn :::`\n"),
    ],
)
def test_broken_launch_files_are_passed_over(tmp_path: Path, name: str, text: str) -> None:
    """A launch file that no program would accept leaves the app as reading finds it."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert inspect_project(tmp_path).app.ref == "app:app"


def test_twenty_thousand_files_are_read_in_time(tmp_path: Path) -> None:
    """A project with a heap of data files is answered well within a minute."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    for number in range(200):
        folder = tmp_path / "data" / str(number)
        folder.mkdir(parents=True)
        for each in range(100):
            (folder / f"{each}.txt").touch()
    before = time.monotonic()
    facts = inspect_project(tmp_path)
    assert facts.app.ref == "app:app"
    assert time.monotonic() - before < 30


def test_what_is_no_folder_is_a_usage_fault(tmp_path: Path) -> None:
    """A missing folder and a file are said to be none."""
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        with pytest.raises(UsageFault, match="not a folder"):
            inspect_project(tmp_path / name)


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", f'{{"scripts": {DEEP}'),
        ("pyproject.toml", f"a = {DEEP}"),
        ("pyproject.toml", f"a = {'9' * 5000}"),
        ("pyproject.toml", "project = 1\ntool = 2\n"),
        ("pyproject.toml", f'[tool.poetry.dependencies]\npython = "^{"9" * 5000}"\nflask = "{"9" * 5000}"\n'),
        ("Pipfile", f"[packages]\na = {DEEP}"),
        ("setup.cfg", f"[options]\ninstall_requires = {DEEP}\npython_requires = >={'9' * 5000}"),
        ("alembic.ini", f"[alembic]\nscript_location = {DEEP}"),
        ("requirements.txt", f"flask\na; {'(' * 100_000}\nb{DEEP}\nflask-sqlalchemy=={'9' * 5000}\n"),
        ("Dockerfile", f"FROM python:3.11\nCMD {DEEP}\n"),
        ("Procfile", f"web: {DEEP}\nrelease: {DEEP}\n"),
        ("docker-compose.yml", f"services:\n  web:\n    image: {DEEP}\n    command: {DEEP}\n"),
        (".env", f"FLASK_APP={DEEP}"),
        (".env.example", 'A="' + '\\"' * 20_000),
        ("dotted.py", "x = a" + ".b" * 900),
        ("added.py", "SECRET_KEY = " + "+".join(['"a"'] * 500)),
        ("called.py", "import os\nx = os.environ['A']" + ".b()" * 250),
        ("chosen.py", "if a:\n  b()\n" + "".join(f"elif a == {number}:\n  create_all()\n" for number in range(400))),
    ],
)
def test_deeply_nested_files_do_not_end_the_reading(tmp_path: Path, name: str, text: str) -> None:
    """Brackets by the hundred thousand and endless numbers cost what that file says, and nothing else."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert inspect_project(tmp_path).app.file == "app.py"
