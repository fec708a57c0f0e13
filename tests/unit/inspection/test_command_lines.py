"""Shell lines as people write them, and what a server's command says."""

import pytest

from carboy.inspection.command_lines import split_commands
from carboy.inspection.hints import split_target
from carboy.inspection.launchers import read_launch
from carboy.inspection.python_version import caret_to_specifier

pytestmark = pytest.mark.requirement("D1")

PLAIN = [
    ("gunicorn app:app", "gunicorn", "app:app"),
    ("exec gunicorn -w 4 -b :$PORT 'shop:create_app(\"live\")' --log-file -", "gunicorn", 'shop:create_app("live")'),
    ("gunicorn -w4 -b0.0.0.0:80 -k gevent wsgi", "gunicorn", "wsgi"),
    ("gunicorn --reload --bind=0.0.0.0 main:app &", "gunicorn", "main:app"),
    ("gunicorn ${MODULE:-wsgi}:app 2>&1", "gunicorn", "wsgi:app"),
    ("/opt/venv/bin/gunicorn --config gunicorn.py site.web:app", "gunicorn", "site.web:app"),
    ("python3.11 -m gunicorn app:app", "gunicorn", "app:app"),
    ("sh -c 'flask db upgrade && gunicorn wsgi:app'", "gunicorn", "wsgi:app"),
    ('bash -c "exec gunicorn -w 2 wsgi:app"', "gunicorn", "wsgi:app"),
    ("poetry run gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("uv run --no-dev --env-file .env gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("pipenv run gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("newrelic-admin run-program gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("ddtrace-run gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("./wait-for-it.sh db:5432 -t 30 -- gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("dumb-init -- gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("gosu www-data gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("PYTHONPATH=. X='a b' gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("flask db upgrade; gunicorn wsgi:app", "gunicorn", "wsgi:app"),
    ("gunicorn wsgi:app | tee log", "gunicorn", "wsgi:app"),
    ("gunicorn \\\n  -w 2 \\\n  wsgi:app", "gunicorn", "wsgi:app"),
    ("waitress-serve --port=8080 --call flaskr:create_app", "waitress", "flaskr:create_app"),
    ("uvicorn --factory shop.asgi:make --host 0.0.0.0", "uvicorn", "shop.asgi:make"),
    ("uvicorn main:app --workers 2", "uvicorn", "main:app"),
    ("hypercorn -b 0.0.0.0:80 asgi:app", "hypercorn", "asgi:app"),
    ("hypercorn wsgi:shop:app", "hypercorn", "shop:app"),
    ("granian --interface wsgi --port 80 app:app", "granian", "app:app"),
    ("daphne -b 0.0.0.0 -p 80 main:asgi", "daphne", "main:asgi"),
    ("uwsgi --http :8000 --wsgi-file run.py --callable site", "uwsgi", "run.py:site"),
    ("uwsgi --master -w shop.wsgi:app", "uwsgi", "shop.wsgi:app"),
    ("uwsgi --socket :1 --mount /=shop:app --manage-script-name", "uwsgi", "shop:app"),
    ("flask --app hello run --debug", "flask", "hello"),
    ("python -m flask -A hello:make run", "flask", "hello:make"),
    ("mod_wsgi-express start-server site.wsgi --port 80", "mod_wsgi", "site.wsgi"),
]


@pytest.mark.parametrize(("text", "server", "target"), PLAIN)
def test_server_command_names_its_app(text: str, server: str, target: str) -> None:
    """The server and the app are read through wrappers, variables, options and operators."""
    launches = [launch for words in split_commands(text) if (launch := read_launch(words))]
    assert [(launch.server, launch.target) for launch in launches] == [(server, target)]


@pytest.mark.parametrize(
    "text",
    [
        "flask db upgrade",
        "pip install gunicorn",
        "echo gunicorn app:app",
        "npm run build",
        "",
        "#",
        "&&",
        "cd x",
        "'",
        "A=1",
    ],
)
def test_other_commands_launch_nothing(text: str) -> None:
    """What only speaks of a server does not start one."""
    assert not [launch for words in split_commands(text) if (launch := read_launch(words))]


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("cd backend && gunicorn app:app", "backend"),
        ("cd a && cd b && gunicorn app:app", "a/b"),
        ("gunicorn --chdir backend app:app", "backend"),
        ("cd srv && gunicorn --chdir web app:app", "srv/web"),
        ("gunicorn app:app", None),
    ],
)
def test_folder_of_a_command(text: str, folder: str | None) -> None:
    """`cd` and `--chdir` say where the app runs."""
    launches = [launch for words in split_commands(text) if (launch := read_launch(words))]
    assert launches[-1].folder == folder


def test_variables_of_a_command() -> None:
    """Variables set before a command, and exported before it, belong to it."""
    words = split_commands("export A=1 B='x y'; C=3 flask run")[-1]
    assert words.variables == {"A": "1", "B": "x y", "C": "3"}


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("app", ("app", None, None)),
        ("app:app", ("app", "app", None)),
        ("a.b:make()", ("a.b", "make", "")),
        ("a.b:make('x', y=2)", ("a.b", "make", "'x', y=2")),
        ("src/app.py:app", ("src/app.py", "app", None)),
        ("a:b.server", ("a", "b.server", None)),
        ("::", ("", None, None)),
    ],
)
def test_target_in_its_parts(target: str, parts: tuple[str, str | None, str | None]) -> None:
    """Module, attribute and arguments are told apart."""
    assert split_target(target) == parts


@pytest.mark.parametrize(
    ("poetry", "specifier"),
    [
        ("^3.9", ">=3.9,<4.0"),
        ("~3.9", ">=3.9,<3.10"),
        ("~3", ">=3,<4.0"),
        (">=3.8,<3.12", ">=3.8,<3.12"),
        (">=3.8 <3.12", ">=3.8,<3.12"),
        ("3.9.*", "==3.9.*"),
        ("*", ""),
        ("^3.8 || ^3.10", ">=3.8,<4.0"),
    ],
)
def test_poetry_constraint_as_specifier(poetry: str, specifier: str) -> None:
    """Poetry's own signs become what every tool understands."""
    assert caret_to_specifier(poetry) == specifier
