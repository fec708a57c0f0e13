"""The JSON of `carboy inspect` is what its schema says, for every layout we hold."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from carboy.workflows.inspect import facts_to_json, inspect
from tests.unit.inspection.test_layouts import CASES, write_project

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "inspect.schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The validator of the published schema, which is itself a valid schema."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.requirement("U2")
def test_every_layout_gives_json_that_follows_the_schema(validator: Draft202012Validator, tmp_path: Path) -> None:
    """Real outputs of all layouts, after a round trip through JSON text, are valid."""
    for number, path in enumerate(sorted(CASES.glob("**/*.toml"))):
        place = tmp_path / str(number)
        place.mkdir()
        project = write_project(tomllib.loads(path.read_text(encoding="utf-8")), place)
        value = json.loads(json.dumps(facts_to_json(inspect(project))))
        faults = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(value)]
        assert not faults, (path.name, faults)


@pytest.mark.requirement("U2")
@pytest.mark.parametrize("key", ["schema", "app", "python", "processes", "warnings"])
def test_schema_refuses_what_lacks_a_key(validator: Draft202012Validator, tmp_path: Path, key: str) -> None:
    """The schema is no rubber stamp: without one of its keys an output is invalid."""
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n", encoding="utf-8")
    value = facts_to_json(inspect(tmp_path))
    assert validator.is_valid(value)
    del value[key]
    assert not validator.is_valid(value)


@pytest.mark.requirement("D2")
def test_every_item_carries_evidence(tmp_path: Path) -> None:
    """Each listed item of a project with some of everything names at least one place."""
    (tmp_path / "app.py").write_text(
        "import os\nfrom flask import Flask\napp = Flask(__name__)\nkey = os.environ['KEY']\napp.debug = True\n",
        encoding="utf-8",
    )
    (tmp_path / "Procfile").write_text("web: gunicorn app:app\nworker: celery -A app worker\n", encoding="utf-8")
    value = facts_to_json(inspect(tmp_path))
    items = [*value["process_details"], *value["variables"], *value["warnings"], *value["app"]["candidates"]]
    assert len(items) >= 4
    assert all(item["evidence"] for item in items), items
