"""`carboy init`, `config show` and `explain`, run as they are typed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from carboy.cli.main import run
from carboy.planfile.keys import all_keys
from carboy.planfile.schema import json_schema

SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"
APP = 'from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get("/")\ndef index():\n    return "hello"\n'
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Run one command line; exit code, stdout and stderr."""

    def run_it(*words: object) -> tuple[int, str, str]:
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run_it


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "requirements.txt").write_text("flask\n", encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def checked(text: str, schema: str) -> Any:
    """The JSON of an answer, which must keep to its written schema."""
    data = json.loads(text)
    jsonschema.validate(data, json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")))
    return data


@pytest.mark.requirement("U2")
def test_init_writes_once_and_never_over_it(project: Path, typed: Typed) -> None:
    """The first `init` writes a file with comments; a second one is refused with what to do, and changes nothing."""
    code, out, _ = typed("init", "--no-probe", project)
    assert code == 0
    assert "app.ref = app:app" in out
    text = (project / "carboy.toml").read_text(encoding="utf-8")
    assert "# Found in app.py:3: " in text
    assert 'ref = "app:app"' in text
    (project / "carboy.toml").write_text(text + "# mine\n", encoding="utf-8")
    before = contents(project)
    code, out, err = typed("init", "--no-probe", project)
    assert (code, out) == (2, "")
    assert err.startswith("error: carboy.toml: there is a plan already, and it is yours\ntry: ")
    assert contents(project) == before
    code, out, _ = typed("init", "--no-probe", project, "--force", "--json")
    assert code == 0
    assert checked(out, "init")["written"] is True
    assert (project / "carboy.toml").read_text(encoding="utf-8") == text


@pytest.mark.requirement("U2")
def test_a_dry_run_shows_the_change_and_writes_nothing(project: Path, typed: Typed) -> None:
    """`--dry-run` prints a diff against what is there; the project stays byte for byte as it was."""
    before = contents(project)
    code, out, _ = typed("init", "--no-probe", project, "--dry-run")
    assert code == 0
    assert out.startswith("--- /dev/null\n+++ carboy.toml\n")
    assert contents(project) == before
    (project / "carboy.toml").write_text("version = 1\nserver.workers = 7\n", encoding="utf-8")
    before = contents(project)
    code, out, _ = typed("init", "--no-probe", project, "--dry-run")
    assert code == 0
    assert "-server.workers = 7\n" in out
    assert contents(project) == before


@pytest.mark.requirement("D2")
def test_init_asks_where_no_app_is_sure(tmp_path: Path, typed: Typed) -> None:
    """Without an app nothing is written: exit code 1, what was looked for, and the one word that is needed."""
    (tmp_path / "notes.txt").write_text("nothing here", encoding="utf-8")
    code, out, err = typed("init", "--no-probe", tmp_path)
    assert (code, out) == (1, "")
    assert "try: say which it is: carboy init --app" in err
    assert list(contents(tmp_path)) == ["notes.txt"]
    code, _, _ = typed("init", "--no-probe", tmp_path, "--app", "shop:create_app()")
    assert code == 0
    assert 'ref = "shop:create_app()"' in (tmp_path / "carboy.toml").read_text(encoding="utf-8")


@pytest.mark.requirement("U3")
def test_init_leaves_a_plan_in_pyproject_alone(project: Path, typed: Typed) -> None:
    """A second plan beside [tool.carboy] would leave it open which one holds; `--force` does not make one either."""
    (project / "pyproject.toml").write_text("[tool.carboy]\nversion = 1\n", encoding="utf-8")
    code, _, err = typed("init", "--no-probe", project, "--force")
    assert code == 2
    assert "pyproject.toml" in err
    assert not (project / "carboy.toml").exists()


@pytest.mark.requirement("E2")
def test_config_show_names_layers_and_masks_secrets(
    project: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key of the plan and every variable has its value, layer and place; a secret's value is nowhere."""
    (project / "carboy.toml").write_text(
        "version = 1\n[server]\nworkers = 2\n[processes.mail]\ncommand = 'x'\n[tiers.staging.server]\nworkers = 3\n",
        encoding="utf-8",
    )
    (project / ".env").write_text("API_TOKEN=tops3cret\nBROKER=redis://:tops3cret@cache/0\nA=1\n", encoding="utf-8")
    monkeypatch.setenv("CARBOY_SERVER__THREADS", "4")
    code, out, err = typed("config", "show", project, "-e", "staging", "--json")
    assert code == 0
    data = checked(out, "config-show")
    rows = {row["key"]: (row["value"], row["layer"], row["where"]) for row in data["values"]}
    assert rows["server.workers"] == (3, "tier section", "carboy.toml:7")
    assert rows["server.threads"] == (4, "environment", "CARBOY_SERVER__THREADS")
    assert rows["app.ref"][:2] == ("app:app", "detected")
    assert rows["server.kind"] == ("gunicorn", "default", None)
    assert rows["variables.A"] == ("1", "dotenv", ".env:3")
    assert rows["variables.API_TOKEN"] == ("********", "dotenv", ".env:1")
    plan_keys = {name.replace("<name>", "mail") for name in (key.name for key in all_keys().values())}
    assert plan_keys - {"variables.mail"} <= set(rows)
    text_code, text, text_err = typed("config", "show", project, "--tier", "staging")
    assert text_code == 0
    assert "(tier section carboy.toml:7)" in text
    assert "tops3cret" not in out + err + text + text_err


@pytest.mark.requirement("E2")
def test_config_show_names_secrets_without_a_value(project: Path, typed: Typed) -> None:
    """A secret that nobody gave is listed, with what will become of it."""
    (project / "carboy.toml").write_text('secrets = ["SECRET_KEY", "MAIL_PASSWORD"]\n', encoding="utf-8")
    _, out, _ = typed("config", "show", project, "--changed")
    assert re.search(r"variables\.SECRET_KEY +- +\(made at the first carboy up\)", out)
    assert re.search(r"variables\.MAIL_PASSWORD +- +\(not set\)", out)


@pytest.mark.requirement("U3")
def test_init_says_where_it_cannot_write(project: Path, typed: Typed) -> None:
    """A target that cannot be written is a fault with a next step, and no temporary file stays."""
    (project / "carboy.toml").mkdir()
    code, out, err = typed("init", "--no-probe", project, "--force")
    assert (code, out) == (3, "")
    assert "cannot be written" in err
    assert sorted(contents(project)) == ["app.py", "requirements.txt"]


@pytest.mark.requirement("U3")
def test_a_broken_plan_is_told_in_full(project: Path, typed: Typed) -> None:
    """Several faults come with a line each and the next step below; exit code 2, nothing on stdout."""
    (project / "carboy.toml").write_text("[server]\nworker = 3\nkind = 'x'\n", encoding="utf-8")
    code, out, err = typed("config", "show", project)
    assert (code, out) == (2, "")
    assert "error: 2 faults in the plan\n" in err
    assert "  carboy.toml:2: server.worker: unknown key\n" in err
    assert "try: did you mean server.workers?\n" in err


@pytest.mark.requirement("U3")
@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("server.workers", ["server.workers", "a whole number from 1 to 512", '"auto"', "CARBOY_SERVER__WORKERS"]),
        ("workers", ["server.workers"]),
        ("tiers.staging.server.workers", ["server.workers"]),
        ("server", ["[server]", "graceful_timeout"]),
        ("[processes.mail]", ["[processes.<name>]", "command"]),
        ("processes.mail.command", ["processes.<name>.command", "it must be given"]),
        ("secrets", ["SECRET_KEY"]),
    ],
)
def test_explain_knows_keys_and_tables(word: str, parts: list[str], typed: Typed) -> None:
    """A key, its last word, a table and a key of a named table are explained, in text and in JSON."""
    code, out, _ = typed("explain", word)
    assert code == 0
    assert [part for part in parts if part not in out] == []
    code, out, _ = typed("explain", word, "--format", "json")
    assert code == 0
    checked(out, "explain")


@pytest.mark.requirement("U3")
def test_explain_lists_everything(typed: Typed) -> None:
    """Without a word every key is listed."""
    code, out, _ = typed("explain")
    assert code == 0
    assert [key.name for key in all_keys().values() if key.name not in out] == []
    code, out, _ = typed("explain", "--json")
    assert len(checked(out, "explain")["keys"]) == len(all_keys())


@pytest.mark.requirement("U3")
@pytest.mark.parametrize(("word", "near"), [("server.worker", "server.workers"), ("timout", "timeout")])
def test_explain_names_the_nearest(word: str, near: str, typed: Typed) -> None:
    """A word that is nothing gets exit code 2 and what was most likely meant."""
    code, out, err = typed("explain", word)
    assert (code, out) == (2, "")
    assert "did you mean" in err
    assert near in err


@pytest.mark.requirement("U3")
def test_the_schema_for_editors_judges_as_carboy_does() -> None:
    """The JSON schema of carboy.toml is a schema, takes a good file and refuses unknown keys, types and ranges."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    server = {"workers": "auto", "timeout": 30}
    assert judge.is_valid({"version": 1, "server": server, "tiers": {"staging": {"server": {"workers": 1}}}})
    wrong: tuple[dict[str, Any], ...] = (
        {"server": {"worker": 1}},
        {"server": {"workers": 0}},
        {"server": {"workers": "three"}},
        {"tiers": {"prod": {}}},
        {"processes": {"web": {"command": "x"}}},
        {"app": {"name": "My Shop"}},
        {"app": {"shared": ["/etc"]}},
    )
    for bad in wrong:
        assert not judge.is_valid(bad), bad
    assert schema["$defs"]["server"]["properties"]["workers"]["description"]
    assert json.loads((SCHEMAS / "plan.schema.json").read_text(encoding="utf-8")) == schema


def test_init_runs_as_a_program(project: Path) -> None:
    """The installed command does the same in a process of its own, and leaves no temporary file."""
    words = [sys.executable, "-m", "carboy", "init", "--no-probe", "--json"]
    answer = subprocess.run(words, cwd=project, capture_output=True, text=True, env={**os.environ}, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert checked(answer.stdout, "init")["written"] is True
    assert sorted(contents(project)) == ["app.py", "carboy.toml", "requirements.txt"]
