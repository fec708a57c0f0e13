"""`carboy config show`: every value of the plan with the layer and the place it came from."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from carboy.errors import UsageFault
from carboy.inspection.reader import inspect_project
from carboy.model.plan import Plan
from carboy.model.secret import MASK, Secret
from carboy.planfile.generated import is_generable
from carboy.planfile.load import LoadedPlan, load_plan
from carboy.planfile.origin import Origin

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One value: `value` is plain (text, number, switch, list), a secret's is the mask."""

    key: str
    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class ConfigShown:
    """The plan of one tier, row by row in the order of the file."""

    tier: str
    path: Path | None
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def show_config(
    project: Path,
    *,
    tier: str,
    environment: Mapping[str, str],
    overrides: Mapping[str, object],
    system: str = sys.platform,
) -> ConfigShown:
    """Load the plan as `up` does and list it. Raises PlanFaults with all that is wrong."""
    project = project.parent if project.is_file() else project
    if not project.is_dir():
        raise UsageFault("no such folder", where=str(project), hint="name the project's folder")
    loaded = load_plan(
        project,
        tier=tier,
        facts=inspect_project(project),
        environment=environment,
        overrides=overrides,
        system=system,
    )
    return ConfigShown(tier, loaded.path, tuple(_rows(loaded)), loaded.notes)


def _rows(loaded: LoadedPlan) -> Iterator[Row]:
    for key, value in _values(loaded.plan, ""):
        yield Row(key, list(value) if isinstance(value, tuple) else value, loaded.origins[key])
    for name, value in sorted(loaded.variables.items()):
        key = f"variables.{name}"
        yield Row(key, MASK if isinstance(value, Secret) else value, loaded.origins[key])
    for name in dict.fromkeys((*loaded.plan.secrets, *loaded.missing)):
        if name not in loaded.variables:
            yield Row(f"variables.{name}", None, Origin("default", "", _fate(loaded, name)))


def _fate(loaded: LoadedPlan, name: str) -> str:
    """What becomes of a variable that nobody gave."""
    if is_generable(name) and name in loaded.plan.secrets:
        return "made at the first carboy up"
    return "not set, and needed: put it in .env" if name in loaded.required else "not set"


def _values(owner: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for each in fields(owner):
        value = getattr(owner, each.name)
        if isinstance(owner, Plan) and each.name in ("tier", "variables"):
            continue
        if isinstance(value, Mapping):
            for name in sorted(value):
                yield from _values(value[name], f"{prefix}{each.name}.{name}.")
        elif is_dataclass(value):
            yield from _values(value, f"{prefix}{each.name}.")
        else:
            yield f"{prefix}{each.name}", value


def config_to_json(shown: ConfigShown) -> dict[str, Any]:
    """The value that `carboy config show --json` prints."""
    return {
        "schema": SCHEMA,
        "tier": shown.tier,
        "path": None if shown.path is None else str(shown.path),
        "values": [
            {
                "key": row.key,
                "value": row.value,
                "layer": row.origin.layer,
                "where": row.origin.where or None,
                "reason": row.origin.reason or None,
            }
            for row in shown.rows
        ],
        "notes": list(shown.notes),
    }
