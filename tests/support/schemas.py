"""The written contracts of `--json`, and a check of real answers against them."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


def check(name: str, answer: Any) -> None:
    """Fail with the first place where `answer` breaks the schema `name`, and where the schema itself is none."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    faults = sorted(Draft202012Validator(schema).iter_errors(answer), key=lambda fault: list(fault.absolute_path))
    assert not faults, f"{name}: {list(faults[0].absolute_path)}: {faults[0].message}"
