"""Apps that we did not write, as they are, through the whole way: read, served, visited, looked at, stopped.

Each file in tests/apps is one app:

    title, traits          what it is, and why it is in the list
    fast                   whether a plain test run takes it to production; the others are marked `long`
    [source]               distribution, version, sha256 of the source distribution; folder: the project inside it
    [postgresql]           a database of its own; {postgresql} is its address, here and below
    [beside]               files laid beside the project, as an operator would; {beside} is their folder, here and below
    [inspect]              keys of `carboy inspect --json`, in the form of tests/cases/inspection
    [inspect_any]          dotted key = list of answers that are equally right
    [user]                 plan: the words that only a person can say, as carboy.toml; says: what they are
    [up]                   arguments of `carboy up`; server, workers: what must come of it; refuses: what it says where
                           neither the arguments nor the user's words are given
    [[pages]]              path, text; status (200); form or json to send; times: how often; redirects are followed
    [[static]]             path, file: the project's file that the answer must equal
    [socketio]             path, namespace: a Socket.IO connection by polling
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.system.fetch_apps import Distribution, unpacked
from tests.system.postgresql import postgresql
from tests.system.visits import LongPoll, Visitor, nobody_listens, switches_to_websocket
from tests.unit.inspection.test_layouts import differences

pytestmark = pytest.mark.system

APPS = Path(__file__).parents[1] / "apps"
CARBOY = str(Path(sys.executable).with_name("carboy"))
DEADLINE = 300
TABLES = {"title", "traits", "fast", "source", "postgresql", "beside", "inspect", "inspect_any", "user", "up"}
TABLES |= {"pages", "static", "socketio"}


def load(name: str) -> dict[str, Any]:
    return tomllib.loads((APPS / f"{name}.toml").read_text(encoding="utf-8"))


NAMES = sorted(path.stem for path in APPS.glob("*.toml"))


def marks(name: str) -> list[pytest.MarkDecorator]:
    app = load(name)
    return [
        *([] if app["fast"] else [pytest.mark.long]),
        *([pytest.mark.needs("postgresql")] if "postgresql" in app else []),
    ]


REFUSED = [pytest.param(name, marks=marks(name)) for name in NAMES if "refuses" in load(name)["up"]]
TO_PRODUCTION = [pytest.param(name, marks=marks(name)) for name in NAMES]


@dataclass(frozen=True)
class Copy:
    """A fresh copy of an app's project, with what its operator lays beside it."""

    app: Mapping[str, Any]
    project: Path
    beside: Path
    postgresql: str = ""

    def filled(self, text: str) -> str:
        return text.replace("{beside}", str(self.beside)).replace("{postgresql}", self.postgresql)

    def carboy(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The installed command, as a user types it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
        return subprocess.run(
            (CARBOY, *words, str(self.project)),
            cwd=self.beside, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=DEADLINE,
        )  # fmt: skip

    def asked(self, *words: str) -> dict[str, Any]:
        """The answer of a command that must end with 0."""
        done = self.carboy(*words, "--json")
        assert done.returncode == 0, f"carboy {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def files(self) -> dict[str, bytes | str]:
        """Every file and link of the project but Carboy's own folder."""
        return {
            path.relative_to(self.project).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
            for path in self.project.rglob("*")
            if ".carboy" not in path.relative_to(self.project).parts and (path.is_symlink() or path.is_file())
        }

    def processes(self) -> list[str]:
        """Every process that works in the project, names it, or has it in its environment."""
        own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
        return [
            found for process in psutil.process_iter() if process.pid not in own for found in self._mention(process)
        ]

    def _mention(self, process: psutil.Process) -> Iterator[str]:
        with contextlib.suppress(psutil.Error):  # gone meanwhile, or another user's
            words = process.cmdline()
            if str(self.project) in "\n".join((process.cwd(), *words, *process.environ().values())):
                yield f"{process.pid}: {' '.join(words) or process.name()} ({process.status()})"


def copy_of(name: str, base: Path, postgresql: str = "") -> Copy:
    app = load(name)
    source = app["source"]
    top = unpacked(Distribution(source["distribution"], source["version"], source["sha256"]))
    project, beside = base / Path(source["folder"] or name).name, base / "beside"
    shutil.copytree(top / source["folder"], project, symlinks=True)
    beside.mkdir()
    copy = Copy(app, project, beside, postgresql)
    for path, text in app.get("beside", {}).items():
        (beside / path).write_text(copy.filled(text), encoding="utf-8")
    if "user" in app:
        (project / "carboy.toml").write_text(copy.filled(app["user"]["plan"]), encoding="utf-8")
    return copy


def value_at(facts: Mapping[str, Any], key: str) -> Any:
    value: Any = facts
    for word in key.split("."):
        value = value.get(word) if isinstance(value, Mapping) else None
    return value


def wrong_facts(app: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    wrong = differences(app["inspect"], facts)
    for key, answers in app.get("inspect_any", {}).items():
        found = value_at(facts, key)
        wrong += [] if found in answers else [f"{key}: expected one of {answers}, found {found!r}"]
    return wrong


@pytest.mark.requirement("D1")
@pytest.mark.requirement("D2")
@pytest.mark.parametrize("name", NAMES)
def test_app_is_read_as_it_is(name: str, tmp_path: Path) -> None:
    """Reading says of a real app what working with it by hand has shown, and changes nothing in its folder."""
    copy = copy_of(name, tmp_path)
    before = copy.files()
    done = copy.carboy("inspect", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == (0 if facts["app"]["ref"] or facts["app"]["command"] else 1), done.stderr
    wrong = wrong_facts(copy.app, facts)
    assert not wrong, "\n".join([copy.app["title"], *wrong])
    assert copy.files() == before
    assert not (copy.project / ".carboy").exists()


@pytest.mark.requirement("D3")
@pytest.mark.requirement("S4")
@pytest.mark.requirement("S7")
@pytest.mark.requirement("T1")
@pytest.mark.requirement("L3")
@pytest.mark.parametrize("name", TO_PRODUCTION)
def test_app_goes_to_production_and_leaves_no_trace(name: str, tmp_path: Path, free_port: int) -> None:
    """A real app is served with its data, pages and files, shown as running, and gone without a trace after `down`."""
    with contextlib.ExitStack() as resources:
        wanted = load(name).get("postgresql")
        address = resources.enter_context(postgresql(wanted["database"])) if wanted else ""
        copy = copy_of(name, tmp_path, address)
        take_to_production(copy, free_port)


@pytest.mark.requirement("D2")
@pytest.mark.requirement("U3")
@pytest.mark.parametrize("name", REFUSED)
def test_app_is_refused_where_a_word_is_missing(name: str, tmp_path: Path, free_port: int) -> None:
    """What cannot be known is asked for, with the word to give; nothing is served, left running or changed."""
    copy = copy_of(name, tmp_path)
    (copy.project / "carboy.toml").unlink(missing_ok=True)
    before = copy.files()
    done = copy.carboy("up", "--detach", "--port", str(free_port))
    assert done.returncode == 3, done.stdout + done.stderr
    assert copy.app["up"]["refuses"] in done.stderr
    assert "Traceback" not in done.stderr
    assert copy.processes() == []
    assert nobody_listens(f"http://127.0.0.1:{free_port}")
    assert copy.files() == before


def take_to_production(copy: Copy, port: int) -> None:
    before = copy.files()
    try:
        served = serve(copy, port)
        visit(copy, served)
        look_at(copy, served)
    finally:
        down = copy.carboy("down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert copy.processes() == []
    assert nobody_listens(served["url"])
    assert copy.carboy("status", "--json").returncode == 1
    assert not (copy.project / ".carboy" / "run" / "lock").exists()
    assert copy.files() == before


def serve(copy: Copy, port: int) -> dict[str, Any]:
    """`carboy up`, and what its answer must hold."""
    wanted = copy.app["up"]
    arguments = [copy.filled(word) for word in wanted.get("arguments", ())]
    served = copy.asked("up", "--detach", "--port", str(port), *arguments)
    assert served["url"].rstrip("/") == f"http://127.0.0.1:{port}"
    assert served["release"] == 1
    assert psutil.pid_exists(served["pid"])
    assert served["seconds"]
    assert wanted.get("server", "") in served["server"]
    assert wanted.get("workers", served["workers"]) == served["workers"]
    return served


def visit(copy: Copy, served: Mapping[str, Any]) -> None:
    """Every page, file and connection that the app's list names, as one visitor."""
    visitor = Visitor(served["url"])
    for page in copy.app.get("pages", ()):
        for _ in range(page.get("times", 1)):
            ask_page(visitor, page, copy)
    for item in copy.app.get("static", ()):
        answer = visitor.get(item["path"])
        assert answer.status == 200, f"{item['path']}: {answer.status}"
        assert answer.body == (copy.project / item["file"]).read_bytes(), item["path"]
    if "socketio" in copy.app:
        talk(visitor, copy.app["socketio"])


def ask_page(visitor: Visitor, page: Mapping[str, Any], copy: Copy) -> None:
    path = page["path"]
    if "form" in page:
        answer = visitor.send_form(path, page["form"])
    elif "json" in page:
        answer = visitor.send_json(path, page["json"])
    else:
        answer = visitor.get(path)
    if answer.status != page.get("status", 200) or page["text"] not in answer.text:
        log = copy.carboy("logs", "-n", "30").stdout
        pytest.fail(f"{path}: {answer.status} {answer.text[:2000]}\n{log}", pytrace=False)


def talk(visitor: Visitor, wanted: Mapping[str, Any]) -> None:
    """Many connections, each of several requests: with the wrong process behind any of them, one would fail."""
    for _ in range(10):
        line = LongPoll(visitor, wanted["path"], wanted.get("namespace", "/"))
        line.connect()
        if "event" not in wanted:
            line.close()
    if "websocket" in line.opened["upgrades"]:
        assert switches_to_websocket(visitor.url, wanted["path"])
    if "event" in wanted:
        line.emit(wanted["event"], wanted["value"])
        line.wait_for_event(wanted["answer"], wanted["text"])


def look_at(copy: Copy, served: Mapping[str, Any]) -> None:
    """What `status`, `ps` and `logs` say of the running app."""
    status = copy.asked("status")
    assert status["state"] == "running", status
    assert status["health"] == "ready", status
    assert (status["url"], status["release"], status["pid"]) == (served["url"], served["release"], served["pid"])
    processes = copy.asked("ps")["processes"]
    web = [item for item in processes if item["name"] == "web"]
    assert web, processes
    assert all(item["state"] == "running" and item["memory"] > 0 and item["restarts"] == 0 for item in web), web
    assert all(psutil.pid_exists(pid) for item in web for pid in item["pids"])
    if served["ref"] is not None:  # an own command writes what log it likes
        assert_logged(copy, served)


def assert_logged(copy: Copy, served: Mapping[str, Any]) -> None:
    """A request is found in the stream by the number that its answer carried."""
    number = Visitor(served["url"]).get("/").headers["x-request-id"]
    done = copy.carboy("logs", "--json", "--grep", number)
    assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(entry["process"], entry["release"]) for entry in entries] == [("web", served["release"])], entries


def test_the_list_is_long_and_varied() -> None:
    """There are fourteen apps at the least, from ten distributions at the least, each with its reasons."""
    apps = [load(name) for name in NAMES]
    assert len(apps) >= 14
    assert len({app["source"]["distribution"] for app in apps}) >= 10
    assert all(set(app) <= TABLES and app["traits"] and app["inspect"] and app["pages"] for app in apps)
