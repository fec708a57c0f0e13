"""What the facts speak for: server, data, processes, pages, each with its reason."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carboy.errors import CarboyError
from carboy.model.facts import (
    BuildFact,
    DataFact,
    DependenciesFact,
    FolderFact,
    MigrationsFact,
    ProcessFact,
    PythonFact,
    ReleaseCommandFact,
    Requirement,
    VariableFact,
    Warn,
)
from carboy.model.plan import Process
from carboy.model.probe import PageTry, ProbeReport
from carboy.model.secret import MASK
from carboy.planfile.combinations import clashes
from carboy.planfile.load import load_plan
from carboy.planfile.propose import propose
from tests.unit.planfile.facts import HERE, database, facts, variable

SERVERS: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    ("plain", {}, "linux", {}, "threads"),
    ("a database", {"data": (database(),)}, "linux", {}, "wait for the database"),
    ("windows", {}, "win32", {"kind": "waitress"}, "Windows"),
    ("async views", {"async_views": True}, "linux", {"kind": "uvicorn"}, "async views"),
    ("an ASGI object", {"interface": "asgi"}, "linux", {"kind": "uvicorn"}, "ASGI"),
    ("an ASGI object on Windows", {"interface": "asgi"}, "win32", {"kind": "uvicorn"}, "ASGI"),
    (
        "Socket.IO",
        {"websocket": "flask-socketio"},
        "linux",
        {"workers": 1, "threads": 100},
        "Socket.IO",
    ),
    (
        "Socket.IO with eventlet",
        {"websocket": "flask-socketio", "requirements": ("gevent", "eventlet")},
        "linux",
        {"worker_class": "eventlet", "workers": 1},
        "eventlet",
    ),
    (
        "Socket.IO with gevent",
        {"websocket": "flask-socketio", "requirements": ("gevent-websocket",)},
        "linux",
        {"worker_class": "gevent", "workers": 1},
        "gevent",
    ),
    (
        "Socket.IO with gevent and async views",
        {"websocket": "flask-socketio", "requirements": ("gevent",), "async_views": True},
        "linux",
        {"workers": 1, "threads": 100},
        "Socket.IO",
    ),
    ("plain WebSockets", {"websocket": "flask-sock"}, "linux", {"threads": 100}, "flask-sock"),
]


@pytest.mark.requirement("R13")
@pytest.mark.parametrize(("name", "found", "system", "wanted", "word"), SERVERS, ids=[row[0] for row in SERVERS])
def test_the_server_follows_from_the_facts(
    name: str, found: dict[str, Any], system: str, wanted: dict[str, Any], word: str
) -> None:
    """Each kind of app gets the server that can serve it, with a reason for people."""
    proposal = propose(facts(**found), None, system=system)
    server = {choice.path[1]: choice.value for choice in proposal.choices if choice.path[0] == "server"}
    assert word in server.pop("reason")
    assert server == wanted


def test_a_probe_that_saw_async_views_counts() -> None:
    """Views that only running the app showed to be coroutines choose the server too."""
    proposal = propose(facts(), ProbeReport("ok", "shop:app", async_views=True))
    kind, asynchronous = proposal.get("server", "kind"), proposal.get("app", "async_views")
    assert kind is not None
    assert asynchronous is not None
    assert (kind.value, asynchronous.value) == ("uvicorn", True)


@pytest.mark.requirement("R13")
def test_socketio_that_only_running_showed_counts() -> None:
    """An app that registers Socket.IO where reading did not see it is served by one process as well."""
    proposal = propose(facts(), ProbeReport("ok", "shop:app", extensions=("socketio",)))
    workers, websocket = proposal.get("server", "workers"), proposal.get("app", "websocket")
    assert workers is not None
    assert websocket is not None
    assert (workers.value, websocket.value) == (1, "flask-socketio")


def test_without_a_dependency_file_what_is_imported_is_installed() -> None:
    """A lone app.py gets the packages that its imports name."""
    found = DependenciesFact(None, "none", (), (Requirement("flask", "", HERE), Requirement("redis", ">=5", ())), ())
    packages = propose(facts(dependencies=found), None).get("app", "packages")
    assert packages is not None
    assert packages.value == ("flask", "redis>=5")


def test_a_project_with_its_own_command_gets_no_server() -> None:
    """Where the project starts its own server there is nothing of ours to choose."""
    proposal = propose(facts(ref=None, command="python -m shop --port $PORT"), None)
    assert [choice.key for choice in proposal.choices if choice.path[0] == "server"] == []
    assert proposal.get("app", "command") is not None


@pytest.mark.requirement("E5")
def test_data_processes_and_variables_are_proposed(tmp_path: Path) -> None:
    """Migrations come before other commands, initial ones apart; folders that hold others stand for them."""
    found = facts(
        python=PythonFact("3.11", None, HERE),
        data=(database("instance/app.db"), database("../outside.db")),
        uploads=(FolderFact("instance", "instance", HERE), FolderFact("static/up", "uploads", HERE)),
        migrations=MigrationsFact("flask-migrate", "flask db upgrade", HERE),
        release_commands=(
            ReleaseCommandFact("flask seed", False, "", HERE),
            ReleaseCommandFact("flask db upgrade", False, "", HERE),
            ReleaseCommandFact("flask init-db", True, "drops tables", HERE),
        ),
        processes=(
            ProcessFact("web", "gunicorn shop:app", False, HERE),
            ProcessFact("Celery_Beat", "celery beat", True, HERE),
        ),
        variables=(
            variable("FLASK_CONFIG", suggestion="production"),
            variable("SECRET_KEY", secret=True),
            variable("DATABASE_URL", suggestion="postgresql://shop:pw@db/shop"),
            variable("LOG_LEVEL"),
        ),
        build=(BuildFact("npm ci", "frontend", HERE),),
    )
    plan = load_plan(tmp_path, facts=found, environment={}).plan
    assert plan.app.shared == ("instance", "static/up")
    assert plan.app.build == ("cd frontend && npm ci",)
    assert plan.app.python == "3.11"
    assert plan.release.commands == ("flask db upgrade", "flask seed")
    assert plan.release.initial == ("flask init-db",)
    assert plan.processes == {"celery-beat": Process(command="celery beat", once=True)}
    assert plan.variables == {"FLASK_CONFIG": "production"}
    assert plan.secrets == ("SECRET_KEY", "DATABASE_URL")


def test_pages_that_answered_are_proposed() -> None:
    """Pages below 300 before redirects, those with data before the front page; never ones that failed."""
    report = ProbeReport(
        "ok",
        "shop:app",
        static_url="/assets",
        static_files=("logo.png", "style.css"),
        pages=(
            PageTry("/", 200),
            PageTry("/about", 200),
            PageTry("/admin", 302),
            PageTry("/broken", 500),
            PageTry("/hangs", None),
            PageTry("/nothing", 404),
            PageTry("/products", 200),
        ),
    )
    proposal = propose(facts(), report)
    pages, static = proposal.get("health", "pages"), proposal.get("health", "static")
    assert pages is not None
    assert static is not None
    assert pages.value == ("/products", "/", "/about")
    assert static.value == "/assets/style.css"
    broken = propose(facts(), ProbeReport("ok", "shop:app", pages=(PageTry("/", 500), PageTry("/x", 500))))
    page = broken.get("health", "pages")
    assert page is not None
    assert page.value == ("/",)
    redirects = propose(facts(), ProbeReport("ok", "shop:app", pages=(PageTry("/", 302), PageTry("/x", 500))))
    page = redirects.get("health", "pages")
    assert page is not None
    assert page.value == ("/",)


words = st.text(max_size=8)
anything = st.builds(
    facts,
    name=words,
    ref=st.none() | words,
    command=st.none() | words,
    interface=st.sampled_from(["wsgi", "asgi"]),
    async_views=st.booleans(),
    websocket=st.sampled_from([None, "flask-socketio", "flask-sock"]),
    folder=words,
    import_paths=st.lists(words, max_size=2).map(tuple),
    reason=words,
    requirements=st.lists(st.sampled_from(["gevent", "eventlet", "flask"])).map(tuple),
    python=st.builds(PythonFact, st.none() | words, st.none(), st.just(HERE)),
    data=st.lists(st.builds(DataFact, words, words, st.none(), st.none(), st.none() | words, st.just(()))).map(tuple),
    release_commands=st.lists(st.builds(ReleaseCommandFact, words, st.booleans(), words, st.just(HERE))).map(tuple),
    processes=st.lists(st.builds(ProcessFact, words, words, st.booleans(), st.just(HERE))).map(tuple),
    variables=st.lists(
        st.builds(VariableFact, words, st.booleans(), st.booleans(), st.none() | words, st.just(HERE))
    ).map(tuple),
    warnings=st.sampled_from([(), ("sqlite-in-memory",), ("green-worker-needed",)]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(anything, st.sampled_from(["linux", "darwin", "win32"]))
def test_whatever_was_found_the_proposal_is_a_plan(tmp_path: Path, found: Any, system: str) -> None:
    """A proposal never holds a fault of its own, however odd the project's names are."""
    loaded = load_plan(tmp_path, facts=found, environment={}, system=system)
    assert clashes(loaded.plan) == []


def test_a_warning_of_one_process_gives_one_worker() -> None:
    """What lives in one process only is served by one process, with the warning as the reason."""
    found = facts(warnings=("sqlite-in-memory",))
    proposal = propose(found, None)
    workers, reason = proposal.get("server", "workers"), proposal.get("server", "reason")
    assert workers is not None
    assert reason is not None
    assert (workers.value, workers.where) == (1, "shop.py:7")
    assert "about sqlite-in-memory" in reason.value
    assert Warn("sqlite-in-memory", "about sqlite-in-memory", found.warnings[0].evidence) in found.warnings


@pytest.mark.parametrize("green", ["gevent", "eventlet"])
def test_an_app_that_patches_itself_gets_that_worker(green: str) -> None:
    """A monkey patch of the standard library needs the worker it was made for."""
    warning = Warn("green-worker-needed", f"the app patches the standard library for {green}", HERE)
    worker = propose(replace(facts(), warnings=(warning,)), None).get("server", "worker_class")
    assert worker is not None
    assert worker.value == green


@pytest.mark.requirement("E3")
def test_a_command_with_a_secret_in_it_is_not_written_down(tmp_path: Path) -> None:
    """Neither the secret nor its mask becomes a command; a note says what to do."""
    worker = ProcessFact("mail", f"python mail.py --password {MASK}", once=False, evidence=())
    loaded = load_plan(tmp_path, facts=facts(processes=(worker,)), environment={})
    assert not loaded.plan.processes
    assert any("process mail" in note and "$NAME" in note for note in loaded.notes)


def test_a_project_file_nested_without_end_is_no_traceback(tmp_path: Path) -> None:
    """A hostile pyproject.toml is the packaging tools' matter; as a plan it is refused."""
    deep = "[tool.carboy]\nx = " + "[" * 20_000
    (tmp_path / "pyproject.toml").write_text(deep)
    load_plan(tmp_path, facts=None, environment={})
    (tmp_path / "carboy.toml").write_text(deep)
    with pytest.raises(CarboyError):
        load_plan(tmp_path, facts=None, environment={})
