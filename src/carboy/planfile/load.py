"""From layers to one Plan: whole, or not at all and every fault at once."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Final, cast, get_type_hints

from carboy.errors import UsageFault
from carboy.model.facts import Facts
from carboy.model.plan import Plan, Process, TierName
from carboy.model.probe import ProbeReport
from carboy.model.secret import Secret, guarded
from carboy.planfile.combinations import clashes
from carboy.planfile.document import Document, read_document
from carboy.planfile.dotenv_files import DotenvValues, read_dotenv
from carboy.planfile.faults import Fault, raise_faults
from carboy.planfile.keys import TIERS, Path
from carboy.planfile.layers import (
    Leaves,
    default_leaves,
    environment_leaves,
    file_leaves,
    layered,
    override_leaves,
)
from carboy.planfile.origin import Origin
from carboy.planfile.propose import choose, left_out, propose

# The system's own variables: an app that reads one is not configured by it.
_SYSTEM: Final = frozenset({"HOME", "PATH", "USER", "PWD", "PORT", "HOST", "HOSTNAME", "SHELL", "LANG", "TMPDIR"})


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A Plan, and where each of its values came from.

    `origins` has an entry for every key (`server.workers`, `processes.mail.scale`) and for every variable that has a
    value (`variables.LOG_LEVEL`); those values stand in `variables`, secrets hidden. `required` names the variables
    without which the app does not start. `notes` are sentences for people.
    """

    plan: Plan
    origins: Mapping[str, Origin]
    variables: Mapping[str, str | Secret]
    required: tuple[str, ...]
    notes: tuple[str, ...]
    path: FilePath | None

    @property
    def missing(self) -> tuple[str, ...]:
        """Required variables that have no value yet."""
        return tuple(name for name in self.required if name not in self.variables)


def load_plan(
    project: FilePath,
    *,
    tier: str = "production",
    facts: Facts | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] = MappingProxyType({}),
    probe: ProbeReport | None = None,
    system: str = sys.platform,
) -> LoadedPlan:
    """The plan of `tier`: defaults, detected facts, plan file, its tier section, environment, command line.

    Raises PlanFaults with all that is wrong, wherever it stands.
    """
    if tier not in TIERS:
        raise UsageFault(f"unknown tier; there are {', '.join(TIERS)}", where=tier)
    document = read_document(project)
    written, faults = _written_layers(document, tier, environment, overrides)
    if facts is not None:
        facts = choose(facts, _said(written, ("app", "ref")))
    detected = _detected(facts, probe, system) if facts is not None else {}
    named = layered([detected, *written])
    merged = {**default_leaves(_process_tables(named)), **named}
    faults += _incomplete(merged, document, {each.path for each in faults}) + _valued_secrets(merged)
    plan = _plan(merged, tier)
    raise_faults([*faults, *_clash_faults(plan, merged, {each.path for each in faults})])
    dotenv = read_dotenv(project, tier, environment)
    return _loaded(plan, merged, dotenv, facts, environment, document)


def _written_layers(
    document: Document | None, tier: str, environment: Mapping[str, str], overrides: Mapping[str, object]
) -> tuple[list[Leaves], list[Fault]]:
    base, own, faults = file_leaves(document, tier) if document else ({}, {}, [])
    processes = {path[1] for path in (*base, *own) if path[0] == "processes"}
    surroundings, wrong = environment_leaves(environment, processes)
    chosen, refused = override_leaves(overrides)
    return [base, own, surroundings, chosen], [*faults, *wrong, *refused]


def _said(layers: list[Leaves], path: Path) -> str | None:
    found = layered(layers).get(path)
    return found[0] if found else None


def _detected(facts: Facts, probe: ProbeReport | None, system: str) -> Leaves:
    return {
        choice.path: (choice.value, Origin("detected", choice.where, choice.reason))
        for choice in propose(facts, probe, system=system).choices
    }


def _process_tables(leaves: Iterable[Path]) -> list[Path]:
    return sorted({path[:2] for path in leaves if path[0] == "processes"})


def _incomplete(leaves: Leaves, document: Document | None, bad: set[Path]) -> list[Fault]:
    """Processes without a command, such as an empty table, or one that only a variable names."""
    written = document.table.get("processes") if document else None
    empty = [("processes", name) for name in written] if isinstance(written, Mapping) else []
    faults = []
    for table in sorted({*_process_tables(leaves), *empty}):
        path = (*table, "command")
        if path not in leaves and not bad & {table, path}:
            places = [origin.where for other, (_, origin) in leaves.items() if other[:2] == table and origin.where]
            where = document.where(table) if document and table in document.lines else next(iter(places), "")
            hint = "name what starts it, such as celery -A shop worker"
            faults.append(Fault(where, ".".join(path), "missing", hint, path))
    return faults


def _valued_secrets(leaves: Leaves) -> list[Fault]:
    return [
        Fault(
            origin.where,
            ".".join(path),
            "holds a secret, and plans are committed and rendered",
            f"put {path[1]}=... in .env, and {path[1]} in secrets",
            path,
        )
        for path, (value, origin) in leaves.items()
        if path[0] == "variables" and len(path) > 1 and isinstance(guarded(path[1], value), Secret)
    ]


def _clash_faults(plan: Plan, leaves: Leaves, bad: set[Path]) -> list[Fault]:
    faults = []
    for clash in clashes(plan):
        if bad.isdisjoint(clash.keys):
            path = next((key for key in clash.keys if _is_written(leaves[key][1])), clash.keys[0])
            faults.append(Fault(leaves[path][1].where, ".".join(path), clash.what, clash.hint, path))
    return faults


def _is_written(origin: Origin) -> bool:
    return origin.layer not in ("default", "detected")


def _plan(leaves: Leaves, tier: str) -> Plan:
    values: dict[str, Any] = {"tier": cast(TierName, tier)}
    for name, hint in get_type_hints(Plan).items():
        inside = {path[1:]: value for path, (value, _) in leaves.items() if path[0] == name and len(path) > 1}
        if is_dataclass(hint) and isinstance(hint, type):
            values[name] = hint(**{path[0]: value for path, value in inside.items()})
        elif name == "processes":
            values[name] = MappingProxyType(_processes(inside))
        elif name == "variables":
            values[name] = MappingProxyType({path[0]: value for path, value in inside.items()})
        elif (name,) in leaves:
            values[name] = leaves[(name,)][0]
    return Plan(**values)


def _processes(inside: Mapping[Path, Any]) -> dict[str, Process]:
    tables: dict[str, dict[str, Any]] = {}
    for (name, key), value in inside.items():
        tables.setdefault(name, {})[key] = value
    # One without a command is a fault already; leaving it out lets the rest be judged too.
    return {name: Process(**table) for name, table in tables.items() if "command" in table}


def _loaded(
    plan: Plan,
    leaves: Leaves,
    dotenv: DotenvValues,
    facts: Facts | None,
    environment: Mapping[str, str],
    document: Document | None,
) -> LoadedPlan:
    origins = {".".join(path): origin for path, (_, origin) in leaves.items()}
    read = facts.variables if facts else ()
    values = {name: (value, origins[f"variables.{name}"]) for name, value in plan.variables.items()}
    values.update(dotenv.values)
    for name in sorted({*values, *plan.secrets, *(each.name for each in read)} - _SYSTEM):
        if name in environment:
            values[name] = (environment[name], Origin("environment", name))
    origins.update({f"variables.{name}": origin for name, (_, origin) in values.items()})
    secret = {*plan.secrets, *(each.name for each in read if each.secret)}
    variables = {name: Secret(value) if name in secret else guarded(name, value) for name, (value, _) in values.items()}
    required = tuple(each.name for each in read if each.required)
    return LoadedPlan(
        plan,
        MappingProxyType(origins),
        MappingProxyType(variables),
        required,
        (*dotenv.notes, *(left_out(facts) if facts else ())),
        document.path if document else None,
    )
