"""`carboy up` and its neighbours on small projects, through the real server, from the command a user types."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.cli import CARBOY, alive, carboy, contents, get, write_project
from tests.support.ports import unused_port
from tests.support.schemas import check

pytestmark = pytest.mark.system

NOTES = {
    "requirements.txt": "flask\n",
    "app.py": """
import os
import sqlite3
import click
from flask import Flask, g, jsonify, request

app = Flask(__name__)
app.config["DATABASE"] = os.path.join(app.root_path, "notes.db")
VERSION = "one"


def db():
    if "db" not in g:
        g.db = sqlite3.connect(app.config["DATABASE"])
    return g.db


@app.route("/")
def index():
    rows = db().execute("SELECT text FROM notes").fetchall()
    return jsonify(version=VERSION, notes=[row[0] for row in rows])


@app.route("/who")
def who():
    return jsonify(address=request.remote_addr, scheme=request.scheme, host=request.host)


@app.route("/add/<text>", methods=["POST"])
def add(text):
    db().execute("INSERT INTO notes VALUES (?)", (text,))
    db().commit()
    return "", 204


@app.cli.command("init-db")
def init_db():
    connection = sqlite3.connect(app.config["DATABASE"])
    connection.executescript("DROP TABLE IF EXISTS notes; CREATE TABLE notes (text TEXT);")
    click.echo("made")
""",
    "static/site.css": "body { color: black }\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = write_project(tmp_path / "notes", NOTES)
    yield folder
    carboy("down", folder)


def up(project: Path, *more: str, code: int = 0) -> dict[str, object]:
    ran = carboy("up", project, "--detach", "--json", *more)
    assert ran.code == code, ran.err
    check("up" if code == 0 else "error", ran.json())
    return ran.json()


def change(project: Path, old: str, new: str) -> None:
    path = project / "app.py"
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.requirement("T1", "D1", "D3", "U1")
def test_an_unmodified_project_is_served_and_left_as_it_was(project: Path) -> None:
    """From folder to pages, static files and health, and down to nothing, without a byte of the project changed."""
    before = contents(project)
    result = up(project, "--port", str(port := unused_port()))
    assert result["url"] == f"http://127.0.0.1:{port}/"
    assert result["release"] == 1
    assert "gunicorn" in str(result["server"])
    url = str(result["url"])
    assert json.loads(get(url)[1]) == {"version": "one", "notes": []}
    assert get(url + "static/site.css") == (200, NOTES["static/site.css"])
    assert json.loads(get(url + "ready")[1]) == {"status": "ready"}
    status = carboy("status", project, "--json").json()
    assert (status["state"], status["health"], status["pid"]) == ("running", "ready", result["pid"])
    check("status", status)
    processes = carboy("ps", project, "--json").json()
    check("ps", processes)
    assert processes["processes"][0]["memory"] > 1_000_000
    pids = [pid for item in status["processes"] for pid in item["pids"]]
    stopped = carboy("down", project, "--json")
    check("down", stopped.json())
    assert (stopped.code, stopped.json()["stopped"]) == (0, True)
    assert not any(alive(pid) for pid in [*pids, status["pid"]])
    assert not (project / ".carboy" / "run" / "lock").exists()
    with socket.create_server(("127.0.0.1", port)):
        assert contents(project) == before
    stopped = carboy("status", project, "--json")
    check("status", stopped.json())
    assert stopped.code == 1


@pytest.mark.requirement("H4", "R8")
def test_a_command_that_drops_tables_runs_once_in_the_projects_life(project: Path) -> None:
    """Data written between two releases is there after the second; the command is not run again."""
    url = str(up(project)["url"])
    request = subprocess.run(["curl", "-fsS", "-X", "POST", f"{url}add/milk"], capture_output=True)
    assert request.returncode == 0
    change(project, '"one"', '"two"')
    again = up(project)
    assert again["release"] == 2
    assert json.loads(get(str(again["url"]))[1]) == {"version": "two", "notes": ["milk"]}


@pytest.mark.requirement("T1")
def test_an_unchanged_project_is_not_made_anew(project: Path) -> None:
    """A second up answers that it serves already; after down the same release comes back."""
    first = up(project)
    second = up(project)
    assert (second["already"], second["pid"], second["release"]) == (True, first["pid"], 1)
    carboy("down", project)
    third = up(project)
    assert (third["already"], third["release"], third["url"]) == (False, 1, first["url"])
    assert "probe" not in json.dumps(third["seconds"])


@pytest.mark.requirement("R2", "R10")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import sqlite3", "import sqlite3, nonexistent_module", "nonexistent_module"),
        ("app = Flask(__name__)", "app = Flask(__name__", "app.py"),
        ("jsonify(version=VERSION, ", "jsonify(version=undefined_name, ", "NameError"),
    ],
    ids=["missing-module", "syntax-error", "broken-page"],
)
def test_a_broken_change_leaves_what_served_before(project: Path, old: str, new: str, said: str) -> None:
    """Exit code 3, a message that names the fault, and the old release answering."""
    url = str(up(project)["url"])
    change(project, old, new)
    before = contents(project)
    ran = carboy("up", project, "--detach", "--json")
    assert ran.code == 3
    assert said in ran.err
    assert contents(project) == before
    check("error", ran.json())
    assert json.loads(get(url)[1])["version"] == "one"
    assert carboy("status", project, "--json").json()["release"] == 1


@pytest.mark.requirement("R2")
def test_a_taken_port_is_said_before_anything_is_started(project: Path) -> None:
    """The message names the port and another one."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = carboy("up", project, "--detach", "--port", str(port))
    assert ran.code == 3
    assert f"port {port} cannot be listened on" in ran.err
    assert f"--port {port + 1}" in ran.err
    assert carboy("status", project).code == 1


@pytest.mark.requirement("E3", "D3")
def test_a_variable_that_is_needed_is_named_and_its_value_never_shown(project: Path) -> None:
    """Without it: exit 3 and its name. With it, by --set or .env: served, and the value is in no file or output."""
    change(project, 'VERSION = "one"', 'API_TOKEN = os.environ["API_TOKEN"]\nVERSION = str(len(API_TOKEN))')
    refused = carboy("up", project, "--detach")
    assert refused.code == 3
    assert "API_TOKEN" in refused.err
    secret = "planted-8d1f0c5e-secret"
    (project / ".env").write_text(f"API_TOKEN={secret}\n")
    ran = carboy("up", project, "--detach", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(get(str(ran.json()["url"]))[1])["version"] == str(len(secret))
    told = [ran.out, ran.err, *(carboy(word, project, "--json").out for word in ("status", "ps", "logs"))]
    told += [carboy("config", "show", project, "--json").out, carboy("inspect", project, "--json").out]
    told += [
        p.read_text(errors="replace") for p in (project / ".carboy").rglob("*") if p.is_file() and "envs" not in p.parts
    ]
    assert not [text for text in told if secret in text]
    assert not any(secret in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))


@pytest.mark.requirement("E3")
def test_a_secret_key_is_made_once_and_stays(project: Path) -> None:
    """Unset SECRET_KEY gets a strong value, the same in every worker and after a restart, 0600 and outside git."""
    change(project, 'VERSION = "one"', 'app.secret_key = os.environ["SECRET_KEY"]\nVERSION = app.secret_key[:12]')
    url = str(up(project)["url"])
    seen = {json.loads(get(url)[1])["version"] for _ in range(20)}
    carboy("down", project)
    url = str(up(project)["url"])
    assert seen == {json.loads(get(url)[1])["version"]}
    kept = project / ".carboy" / "secrets.env"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (project / ".carboy" / ".gitignore").read_text() == "*\n"


@pytest.mark.requirement("R2", "H4")
def test_a_failing_release_command_stops_the_release(project: Path) -> None:
    """Its output and exit code are shown; nothing is started."""
    (project / "carboy.toml").write_text('[release]\ncommands = ["flask no-such-command"]\n')
    ran = carboy("up", project, "--detach")
    assert ran.code == 3
    assert "flask no-such-command" in ran.err
    assert "No such command" in ran.err
    assert carboy("status", project).code == 1


@pytest.mark.requirement("R10", "H4")
def test_release_commands_on_another_database_than_the_servers_are_caught(project: Path) -> None:
    """Split brain: the command prepares one file, the server opens another; the gate says both."""
    change(project, 'connection = sqlite3.connect(app.config["DATABASE"])', 'connection = sqlite3.connect("other.db")')
    change(project, 'rows = db().execute("SELECT text FROM notes").fetchall()', "db(); rows = []")
    ran = carboy("up", project, "--detach")
    assert ran.code == 3
    assert "other.db" in ran.err
    assert "notes.db" in ran.err


@pytest.mark.requirement("R13", "T1")
def test_other_processes_run_beside_the_web_server(project: Path) -> None:
    """A Procfile's worker is started, logs into the same stream, and `once` is never more than one."""
    (project / "worker.py").write_text("import time\nprint('worker at work', flush=True)\ntime.sleep(600)\n")
    (project / "Procfile").write_text("web: gunicorn app:app\nmail: python worker.py\n")
    (project / "carboy.toml").write_text(
        '[processes.mail]\nscale = 2\n[processes.clock]\ncommand = "python worker.py"\nonce = true\n'
    )
    up(project)
    found = carboy("ps", project, "--json").json()["processes"]
    assert sorted((p["name"], p["instance"]) for p in found) == [("clock", 1), ("mail", 1), ("mail", 2), ("web", 1)]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and carboy("logs", project, "-p", "mail").out.count("worker at work") < 2:
        time.sleep(0.1)
    assert carboy("logs", project, "-p", "mail").out.count("worker at work") == 2


@pytest.mark.requirement("L3")
def test_logs_are_one_stream_with_filters_as_lines_of_json(project: Path) -> None:
    """A request's line is found by its request id."""
    url = str(up(project)["url"])
    get(url, {"X-Request-ID": "find-me-0123456789"})
    deadline = time.monotonic() + 10
    lines: list[str] = []
    while time.monotonic() < deadline and not lines:
        lines = carboy("logs", project, "--json", "--grep", "find-me-0123456789").out.splitlines()
    entry = json.loads(lines[0])
    check("logs", entry)
    assert (entry["schema"], entry["process"], entry["release"]) == (1, "web", 1)
    assert " 200 " in entry["line"]


@pytest.mark.requirement("R6", "U1")
def test_run_speaks_of_the_same_app_and_keeps_the_exit_code(project: Path) -> None:
    """`flask routes` sees the app that is served; another command's exit code is carboy's."""
    up(project)
    assert "/add/<text>" in carboy("run", "-C", project, "flask", "routes").out
    assert carboy("run", "-C", project, "python", "-c", "raise SystemExit(7)").code == 7
    assert carboy("run", "-C", project).code == 2


@pytest.mark.requirement("P5")
def test_forwarding_headers_are_believed_for_exactly_the_proxies_there_are(project: Path) -> None:
    """Nobody is believed by default; with one trusted proxy its word counts and no more."""
    forged = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    url = str(up(project)["url"])
    assert json.loads(get(url + "who", forged)[1])["address"] == "127.0.0.1"
    (project / "carboy.toml").write_text("[proxy]\ntrusted = 1\n")
    url = str(up(project)["url"])
    told = json.loads(get(url + "who", forged)[1])
    assert (told["address"], told["scheme"]) == ("198.51.100.7", "https")


@pytest.mark.requirement("R4")
def test_a_second_up_at_the_same_time_is_refused(project: Path) -> None:
    """It is told who is at work; the first one ends well."""
    first = subprocess.Popen(
        [CARBOY, "up", str(project), "--detach"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lock = project / ".carboy" / "run" / "lock"
    deadline = time.monotonic() + 20
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    second = carboy("up", project, "--detach")
    out, err = first.communicate(timeout=120)
    assert second.code == 3
    assert re.search(rf"carboy up is at work here \(process {first.pid}\)", second.err)
    assert (first.returncode, out.strip()[:7]) == (0, "http://"), err


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("delay", [0.3, 1.0, 2.0, 3.0])
def test_up_killed_at_any_moment_is_followed_by_one_that_works(project: Path, delay: float) -> None:
    """kill -9 of the tool leaves nothing that stands in the way of the next up."""
    killed = subprocess.Popen(
        [CARBOY, "up", str(project), "--detach"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with pytest.raises(subprocess.TimeoutExpired):
        killed.wait(delay)
        raise subprocess.TimeoutExpired("up", delay)  # it was quicker than the axe: the rest still holds
    killed.kill()
    killed.wait()
    assert json.loads(get(str(up(project)["url"]))[1])["version"] == "one"
    assert not list((project / ".carboy" / "envs").glob(".*"))


@pytest.mark.requirement("T1", "R6")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_ends_with_the_terminal(project: Path, number: signal.Signals) -> None:
    """The address and the log are shown; Ctrl-C or SIGTERM stops everything, with exit code 0."""
    running = subprocess.Popen([CARBOY, "up", str(project)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline().startswith("http://")
    pids = [pid for item in carboy("ps", project, "--json").json()["processes"] for pid in item["pids"]]
    os.kill(running.pid, number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert not any(alive(pid) for pid in pids)


@pytest.mark.requirement("D2", "U3")
def test_a_folder_without_an_app_gets_an_answer(tmp_path: Path) -> None:
    """What was looked for and the word that is needed; exit code 3 for up and 1 for inspect."""
    folder = write_project(tmp_path / "empty", {"readme.md": "# nothing\n"})
    ran = carboy("up", folder, "--detach")
    assert ran.code == 3
    assert "no Flask app found" in ran.err
    assert "--app module:attribute" in ran.err
    assert carboy("inspect", folder).code == 1
    assert carboy("up", tmp_path / "nowhere", "--detach").code == 2


@pytest.mark.requirement("D2")
def test_two_apps_that_are_equally_good_are_not_guessed_between(tmp_path: Path) -> None:
    """Both are named, nothing is served, and the named one is served when it is named."""
    app = "from flask import Flask\n{0} = Flask(__name__)\n@{0}.get('/')\ndef home():\n    return '{0}'\n"
    files = {"requirements.txt": "flask\n", "shop.py": app.format("shop"), "blog.py": app.format("blog")}
    folder = write_project(tmp_path / "two", files)
    ran = carboy("up", folder, "--detach")
    assert ran.code == 3
    assert "shop:shop" in ran.err
    assert "blog:blog" in ran.err
    named = carboy("up", folder, "--detach", "--app", "blog:blog", "--json")
    assert named.code == 0, named.err
    assert get(named.json()["url"]) == (200, "blog")
    carboy("down", folder)


@pytest.mark.requirement("D3", "E2", "Q3")
def test_init_proves_what_it_writes_and_up_takes_it(project: Path) -> None:
    """The written plan names pages that answered on a scratch database; --dry-run changes no byte of the project."""
    before = contents(project)
    shown = carboy("init", project, "--dry-run")
    assert shown.code == 0, shown.err
    assert '+pages = ["/", "/who"]' in shown.out
    assert contents(project) == before
    assert carboy("init", project).code == 0
    asked = up(project)["gate"]
    assert isinstance(asked, list)
    assert [item["path"] for item in asked if item["what"] == "page"] == ["/", "/who"]


@pytest.mark.requirement("U1", "U2")
def test_targets_are_told_by_their_schema() -> None:
    """What each target can do is data, and only what is built is listed."""
    told = carboy("targets", "--json")
    check("targets", told.json())
    assert {word["word"] for word in told.json()["targets"]["local"]} >= {"up", "down", "status", "logs", "ps"}


@pytest.mark.requirement("R3")
def test_old_releases_and_their_environments_go(project: Path) -> None:
    """Three releases are kept; an environment that none of them uses is removed, numbers are never used again."""
    up(project)
    first = {path.name for path in (project / ".carboy" / "envs").glob("py*")}
    (project / "requirements.txt").write_text("flask\nitsdangerous\n")
    for version in ("two", "three", "four"):
        change(project, re.search(r'VERSION = "\w+"', (project / "app.py").read_text())[0], f'VERSION = "{version}"')  # type: ignore[index]
        url = str(up(project)["url"])
    assert json.loads(get(url)[1])["version"] == "four"
    assert sorted(path.name for path in (project / ".carboy" / "releases").iterdir()) == ["2", "3", "4"]
    assert not first & {path.name for path in (project / ".carboy" / "envs").glob("py*")}


@pytest.mark.requirement("R6")
def test_a_thread_that_never_ends_does_not_hold_up_the_stop(project: Path) -> None:
    """A library's thread that is no daemon outlives the requests; down ends all the same, well before the kill."""
    forever = "import threading\n    threading.Thread(target=threading.Event().wait).start()\n    rows"
    change(project, "rows = db", f"{forever} = db")
    url = str(up(project)["url"])
    assert get(url)[0] == 200
    begun = time.monotonic()
    assert carboy("down", project).code == 0
    assert time.monotonic() - begun < 20
    assert "ended although threads of the app still ran" in carboy("logs", project).out


@pytest.mark.requirement("E5", "D1")
def test_a_factory_that_defaults_to_development_is_served_as_production(tmp_path: Path) -> None:
    """The app's own selector is found and set; a variable that the user sets for it wins."""
    files = {
        "requirements.txt": "flask\n",
        "config.py": (
            "class Config:\n    NAME = 'base'\n"
            "class DevelopmentConfig(Config):\n    NAME = 'development'\n    DEBUG = True\n"
            "class ProductionConfig(Config):\n    NAME = 'production'\n"
            "config = {'development': DevelopmentConfig, 'production': ProductionConfig,"
            " 'default': DevelopmentConfig}\n"
        ),
        "shop/__init__.py": (
            "import os\nfrom flask import Flask\nfrom config import config\n\n"
            "def create_app(config_name=None):\n"
            "    app = Flask(__name__)\n"
            "    app.config.from_object(config[config_name or os.getenv('FLASK_CONFIG') or 'default'])\n"
            "    @app.get('/')\n    def home():\n        return app.config['NAME']\n"
            "    return app\n"
        ),
        "manage.py": "from shop import create_app\napp = create_app()\nif __name__ == '__main__':\n    app.run()\n",
    }
    folder = write_project(tmp_path / "shop-project", files)
    assert get(str(up(folder)["url"]))[1] == "production"
    assert get(str(up(folder, "--set", "FLASK_CONFIG=development")["url"]))[1] == "development"
    carboy("down", folder)


@pytest.mark.requirement("U3")
def test_words_are_completed_in_the_shell() -> None:
    """`carboy st` and the tab key: the words that begin so."""
    asked = {"_CARBOY_COMPLETE": "bash_complete", "COMP_WORDS": "carboy st", "COMP_CWORD": "1"}
    assert carboy(environment=asked).out.split() == ["plain,status"]


@pytest.mark.requirement("U3")
def test_a_project_that_cannot_be_written_to_is_a_clear_answer(tmp_path: Path) -> None:
    """The state folder may lie elsewhere: then nothing at all is written into the project."""
    folder = write_project(tmp_path / "notes", NOTES)
    (folder / ".carboy").write_text("in the way")
    ran = carboy("up", folder, "--detach")
    assert ran.code == 3
    assert "CARBOY_STATE" in ran.err
    (folder / ".carboy").unlink()
    before = sorted(path.name for path in folder.iterdir())
    elsewhere = {"CARBOY_STATE": str(tmp_path / "state")}
    assert carboy("up", folder, "--detach", environment=elsewhere).code == 0
    assert sorted(path.name for path in folder.iterdir()) == before
    assert carboy("down", folder, environment=elsewhere).out == "stopped\n"


@pytest.mark.requirement("H4", "D3")
def test_tables_made_at_import_are_made_once_before_the_workers(project: Path) -> None:
    """Workers do not race for an empty database: the app is imported once, with its real variables, before them."""
    made = (
        "connection = sqlite3.connect(app.config['DATABASE'])\n"
        "tables = connection.execute('SELECT name FROM sqlite_master').fetchall()\n"
        "__import__('time').sleep(0.3)\n"
        "if not tables:\n    connection.execute('CREATE TABLE notes (text TEXT)')\n"
        'VERSION = "one"'
    )
    change(project, 'VERSION = "one"', made)
    (project / "carboy.toml").write_text("[server]\nworkers = 4\n[release]\ninitial = []\n")
    url = str(up(project)["url"])
    assert json.loads(get(url)[1]) == {"version": "one", "notes": []}
    assert "already exists" not in carboy("logs", project).out


@pytest.mark.requirement("T1")
def test_two_projects_that_start_at_once_get_two_ports(tmp_path: Path) -> None:
    """The port is held from the moment it is chosen, though the server listens on it much later."""
    folders = [write_project(tmp_path / name, NOTES) for name in ("one", "two")]
    started = [
        subprocess.Popen(
            [CARBOY, "up", str(folder), "--detach"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for folder in folders
    ]
    told = [process.communicate(timeout=120) for process in started]
    urls = [out.strip() for out, _ in told]
    try:
        assert [process.returncode for process in started] == [0, 0], told
        assert len({*urls}) == 2
        assert all(get(url)[0] == 200 for url in urls)
    finally:
        for folder in folders:
            carboy("down", folder)


MODE = (
    'if os.environ.get("MODE") == "bad":\n    raise RuntimeError("bad mode")\n'
    'if os.environ.get("MODE") == "slow":\n    __import__("time").sleep(30)\n'
    'VERSION = os.environ.get("MODE", "one")'
)


@pytest.mark.requirement("R2")
def test_values_belong_to_the_release_that_is_good(project: Path) -> None:
    """A value that breaks the app is not kept: the old release serves again with its own, and `run` sees the same."""
    change(project, 'VERSION = "one"', MODE)
    change(project, "jsonify(version=VERSION, ", 'jsonify(version=VERSION if VERSION != "err" else 1 / 0, ')
    url = str(up(project, "--set", "MODE=first")["url"])
    assert carboy("up", project, "--detach", "--set", "MODE=err").code == 3
    assert json.loads(get(url)[1])["version"] == "first"
    assert carboy("up", project, "--detach", environment={"MODE": "ignored"}).code == 0, "--set is remembered"
    assert json.loads(get(url)[1])["version"] == "first"
    told = carboy("run", "-C", project, "python", "-c", "import os; print(os.environ['MODE'])")
    assert told.out == "first\n"


@pytest.mark.requirement("R2")
def test_an_exported_variable_that_breaks_the_app_leaves_the_old_values_serving(project: Path) -> None:
    """The same release is started with other values, fails, and is started again with those it had."""
    change(project, 'VERSION = "one"', MODE)
    url = str(up(project)["url"])
    ran = carboy("up", project, "--detach", environment={"MODE": "bad"})
    assert ran.code == 3
    assert json.loads(get(url)[1])["version"] == "one"


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_what_served_before(project: Path, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM while the new one starts: the old one answers, and nothing of the new one is left."""
    change(project, 'VERSION = "one"', MODE)
    url = str(up(project)["url"])
    words = [CARBOY, "up", str(project), "--detach", "--set", "MODE=slow"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(4)
    os.kill(running.pid, number)
    assert running.wait(60) == 130
    assert json.loads(get(url)[1])["version"] == "one"
    assert not [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get("MODE") == "slow"]


@pytest.mark.requirement("H4", "R8")
def test_data_that_the_project_brings_is_not_dropped(project: Path) -> None:
    """An existing database seeds the first release, and the command that drops its tables is not run, which is said."""
    with sqlite3.connect(project / "notes.db") as database:
        database.executescript("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('kept')")
    database.close()
    ran = carboy("up", project, "--detach")
    assert ran.code == 0, ran.err
    assert "notes.db has tables already: flask init-db not run" in ran.err
    assert json.loads(get(ran.out.strip())[1])["notes"] == ["kept"]


@pytest.mark.requirement("R10")
def test_a_worker_that_dies_at_once_is_not_called_good(project: Path) -> None:
    """A process beside web that ends in its first seconds stops the release, with its last lines."""
    (project / "Procfile").write_text("web: gunicorn app:app\nmail: python -c 'raise SystemExit(\"no broker\")'\n")
    ran = carboy("up", project, "--detach")
    assert ran.code == 3
    assert "process mail ended with exit code 1" in ran.err
    assert "no broker" in ran.err


@pytest.mark.requirement("R10")
def test_an_open_debugger_is_refused(tmp_path: Path) -> None:
    """A project whose own command serves with the interactive debugger is not called good."""
    code = (
        "import os\nfrom flask import Flask\n\ndef main():\n    app = Flask(__name__)\n"
        "    @app.get('/')\n    def home():\n        return 'hi'\n"
        "    app.run(debug=True, use_reloader=False, port=int(os.environ['PORT']))\n\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    plan = '[app]\ncommand = "python serve_it.py"\n'
    folder = write_project(tmp_path / "open", {"requirements.txt": "flask\n", "serve_it.py": code, "carboy.toml": plan})
    ran = carboy("up", folder, "--detach")
    assert ran.code == 3
    assert "interactive debugger is open" in ran.err
    carboy("down", folder)


@pytest.mark.requirement("R10")
def test_a_page_that_streams_without_end_is_an_answer(project: Path) -> None:
    """The gate keeps its time where a body never ends."""
    endless = (
        "@app.route('/events')\ndef events():\n    from flask import Response\n    import time\n"
        "    def forever():\n        while True:\n            yield 'data: x\\n\\n'\n            time.sleep(0.2)\n"
        "    return Response(forever(), mimetype='text/event-stream')\n\n\n@app.route(\"/who\")"
    )
    change(project, '@app.route("/who")', endless)
    (project / "carboy.toml").write_text('[health]\npages = ["/events"]\ntimeout = 20\n')
    begun = time.monotonic()
    up(project)
    assert time.monotonic() - begun < 60


@pytest.mark.requirement("D3", "U2")
def test_inspect_with_a_probe_shows_what_importing_gave(project: Path) -> None:
    """Routes and pages are told beside the facts, by the schema, and the project is as it was."""
    before = contents(project)
    ran = carboy("inspect", project, "--probe", "--json")
    assert ran.code == 0, ran.err
    check("inspect", ran.json())
    assert {"path": "/who", "status": 200} in ran.json()["probe"]["pages"]
    assert contents(project) == before


@pytest.mark.requirement("U3")
@pytest.mark.parametrize(
    "words", [["--port", "abc"], ["--set", "nonsense"], ["--app", "no-attribute"], ["--tier", "x"]]
)
def test_wrong_words_are_a_usage_fault_in_json_too(project: Path, words: list[str]) -> None:
    """Exit code 2 and the same object as for any fault."""
    ran = carboy("up", project, "--detach", "--json", *words)
    assert ran.code == 2
    check("error", ran.json())


@pytest.mark.requirement("R6")
def test_the_project_is_found_from_a_folder_inside_it(project: Path) -> None:
    """`status` in a subfolder speaks of the project that runs."""
    up(project)
    assert carboy("status", project / "static", "--json").json()["state"] == "running"
