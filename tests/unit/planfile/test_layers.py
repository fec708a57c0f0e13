"""Layers: later wins, and every value knows where it came from."""

import json
from pathlib import Path

import pytest

from carboy.model.plan import Plan, Process
from carboy.model.secret import Secret
from carboy.planfile.load import load_plan
from carboy.planfile.origin import Origin
from tests.unit.planfile.facts import facts, variable

PLAN = """version = 1
[server]
workers = 2
threads = 2
timeout = 2
backlog = 2
[tiers.staging.server]
threads = 3
timeout = 3
backlog = 3
"""
ENVIRONMENT = {"CARBOY_SERVER__TIMEOUT": "4", "CARBOY_SERVER__BACKLOG": "4"}


@pytest.mark.requirement("E2")
def test_later_layers_win_and_say_where(tmp_path: Path) -> None:
    """Default, detected, plan file, tier section, environment and command line, in this order."""
    (tmp_path / "carboy.toml").write_text(PLAN, encoding="utf-8")
    loaded = load_plan(
        tmp_path, tier="staging", facts=facts(), environment=ENVIRONMENT, overrides={"server.backlog": "5"}
    )
    server = loaded.plan.server
    assert (server.keepalive, server.workers, server.threads, server.timeout, server.backlog) == (5, 2, 3, 4, 5)
    assert loaded.plan.tier == "staging"
    assert loaded.origins["server.keepalive"] == Origin("default")
    assert loaded.origins["app.ref"] == Origin("detected", "shop.py:3", "a Flask object (certain)")
    assert loaded.origins["server.workers"] == Origin("plan file", "carboy.toml:3")
    assert loaded.origins["server.threads"] == Origin("tier section", "carboy.toml:8")
    assert loaded.origins["server.timeout"] == Origin("environment", "CARBOY_SERVER__TIMEOUT")
    assert loaded.origins["server.backlog"] == Origin("command line", "command line")


@pytest.mark.requirement("E2")
def test_another_tier_sees_nothing_of_a_tiers_section(tmp_path: Path) -> None:
    """Production inherits the file and not what stands under [tiers.staging]."""
    (tmp_path / "carboy.toml").write_text(PLAN, encoding="utf-8")
    assert load_plan(tmp_path, facts=None, environment={}).plan.server.threads == 2


@pytest.mark.requirement("E2")
def test_without_anything_the_plan_is_the_models_own(tmp_path: Path) -> None:
    """No file, no facts, no words: every default, each with its origin."""
    loaded = load_plan(tmp_path, facts=None, environment={"PATH": "/bin"})
    assert loaded.plan == Plan()
    assert {origin.layer for origin in loaded.origins.values()} == {"default"}
    assert loaded.path is None


@pytest.mark.requirement("E2")
def test_pyproject_holds_a_plan_too(tmp_path: Path) -> None:
    """[tool.carboy] of pyproject.toml is the same file in another place."""
    (tmp_path / "pyproject.toml").write_text("[tool.carboy.server]\nworkers = 3\n", encoding="utf-8")
    loaded = load_plan(tmp_path, facts=None, environment={})
    assert loaded.plan.server.workers == 3
    assert loaded.origins["server.workers"] == Origin("plan file", "pyproject.toml:2")


@pytest.mark.requirement("E2")
def test_a_windows_file_is_read(tmp_path: Path) -> None:
    """A byte order mark and CRLF are Notepad's, not faults."""
    (tmp_path / "carboy.toml").write_bytes(b"\xef\xbb\xbfversion = 1\r\n[server]\r\nworkers = 3\r\n")
    loaded = load_plan(tmp_path, facts=None, environment={})
    assert loaded.plan.server.workers == 3
    assert loaded.origins["server.workers"].where == "carboy.toml:3"


@pytest.mark.requirement("E2")
def test_the_environment_is_read_by_the_keys_type(tmp_path: Path) -> None:
    """Numbers, switches, lists and empty texts come from variables as they would stand in the file."""
    environment = {
        "CARBOY_SERVER__PRELOAD": "yes",
        "CARBOY_RELEASE__COMMANDS": '["flask db upgrade", "flask seed"]',
        "CARBOY_HEALTH__PAGES": "/products",
        "CARBOY_SECRETS": '["SECRET_KEY"]',
        "CARBOY_APP__PYTHON": "",
        "CARBOY_PROCESSES__MAIL_OUT__SCALE": "3",
        "CARBOY_VARIABLES__Log_Level": "info",
        "CARBOY_GATE_TOKEN": "of the wire, no key",
    }
    (tmp_path / "carboy.toml").write_text('app.python = "3.12"\nprocesses.mail-out.command = "x"\n', encoding="utf-8")
    plan = load_plan(tmp_path, facts=None, environment=environment).plan
    assert plan.server.preload is True
    assert plan.release.commands == ("flask db upgrade", "flask seed")
    assert plan.health.pages == ("/products",)
    assert plan.secrets == ("SECRET_KEY",)
    assert plan.app.python is None
    assert plan.processes == {"mail-out": Process(command="x", scale=3)}
    assert plan.variables == {"Log_Level": "info"}


@pytest.mark.requirement("E2")
@pytest.mark.parametrize(
    ("written", "ref", "command"),
    [('command = "python shop.py"', None, "python shop.py"), ('ref = "other.wsgi:api"', "other.wsgi:api", None)],
)
def test_a_chosen_app_takes_the_place_of_the_detected_one(
    written: str, ref: str | None, command: str | None, tmp_path: Path
) -> None:
    """A command in the file displaces a detected object, so that one of them is left."""
    (tmp_path / "carboy.toml").write_text(f"app.{written}\n", encoding="utf-8")
    app = load_plan(tmp_path, facts=facts(), environment={}).plan.app
    assert (app.ref, app.command) == (ref, command)


@pytest.mark.requirement("E2")
def test_a_named_candidate_brings_its_folder_and_interface(tmp_path: Path) -> None:
    """Whoever names one of the candidates gets that one's folder, interface and server."""
    plan = load_plan(tmp_path, facts=facts(), environment={}, overrides={"app.ref": "other.wsgi:api"}).plan
    assert (plan.app.folder, plan.app.interface, plan.server.kind) == ("other", "asgi", "uvicorn")


@pytest.mark.requirement("S7")
def test_a_factory_with_other_arguments_is_the_same_candidate(tmp_path: Path) -> None:
    """Naming the found factory with an argument, or another object of its module, keeps the module's folder."""
    for ref in ("other.wsgi:api('production')", "other.wsgi:another"):
        plan = load_plan(tmp_path, facts=facts(), environment={}, overrides={"app.ref": ref}).plan
        assert (plan.app.ref, plan.app.folder, plan.app.interface) == (ref, "other", "asgi")


@pytest.mark.requirement("E2")
def test_a_chosen_server_drops_the_reason_of_the_proposed_one(tmp_path: Path) -> None:
    """The reason and worker class of the detected server say nothing of another one."""
    found = facts(websocket="flask-socketio", requirements=("gevent",))
    assert load_plan(tmp_path, facts=found, environment={}).plan.server.worker_class == "gevent"
    server = load_plan(tmp_path, facts=found, environment={}, overrides={"server.kind": "granian"}).plan.server
    assert (server.kind, server.worker_class, server.workers, server.reason) == ("granian", "gthread", 1, "")


@pytest.mark.requirement("E2")
def test_variables_come_from_files_and_the_environment(tmp_path: Path) -> None:
    """Plan, .env, .env.<tier> and process environment, later wins; secrets hide themselves, the plan keeps its own."""
    (tmp_path / "carboy.toml").write_text(
        'variables = { A = "plan", B = "plan", C = "plan", D = "plan" }\n', encoding="utf-8"
    )
    (tmp_path / ".env").write_text("B=env\nC=env\nD=env\nSECRET_KEY=tops3cret\n", encoding="utf-8")
    (tmp_path / ".env.production").write_text("C=tier\nD=tier\n", encoding="utf-8")
    found = facts(variables=(variable("MAIL_SERVER", required=True), variable("PATH")))
    environment = {"D": "process", "MAIL_SERVER": "mail", "PATH": "/bin", "STRAY": "x"}
    loaded = load_plan(tmp_path, facts=found, environment=environment)
    assert loaded.variables == {
        "A": "plan",
        "B": "env",
        "C": "tier",
        "D": "process",
        "MAIL_SERVER": "mail",
        "SECRET_KEY": Secret("tops3cret"),
    }
    assert loaded.plan.variables == {"A": "plan", "B": "plan", "C": "plan", "D": "plan"}
    assert loaded.origins["variables.C"] == Origin("dotenv", ".env.production:1")
    assert loaded.origins["variables.SECRET_KEY"] == Origin("dotenv", ".env:4")
    assert loaded.missing == ()
    assert "tops3cret" not in repr(loaded)
    assert "tops3cret" not in json.dumps(loaded.variables, default=str)


@pytest.mark.requirement("E2")
def test_missing_variables_are_named(tmp_path: Path) -> None:
    """What the app does not start without, and nobody gave, is known before it is started."""
    found = facts(variables=(variable("MAIL_SERVER", required=True), variable("LOG_LEVEL")))
    assert load_plan(tmp_path, facts=found, environment={}).missing == ("MAIL_SERVER",)
