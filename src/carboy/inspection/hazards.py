"""What happens at import that must not: a server starts, the command line is read, the process ends."""

import ast
from dataclasses import dataclass

from carboy.inspection.index import Index
from carboy.inspection.routes import outer_nodes, routes_of
from carboy.inspection.runs import runs_of
from carboy.inspection.symbols import Frame, symbols_of
from carboy.inspection.values import External
from carboy.model.facts import Place

_ARGUMENT_READERS = ("parse_args", "parse_known_args")
_ASKERS = {"input", "getpass.getpass"}


@dataclass(frozen=True)
class Hazard:
    """`code` is the warning's code."""

    code: str
    place: Place


def hazards_in(index: Index, file: str) -> tuple[Hazard, ...]:
    """The hazards of importing this very file."""
    return index.derived(_all_hazards).get(file, ())


def hazards_of(index: Index, file: str) -> list[Hazard]:
    """The hazards of importing a file with all that it imports."""
    return [hazard for path in sorted(routes_of(index).reach(file)) for hazard in hazards_in(index, path)]


def _all_hazards(index: Index) -> dict[str, tuple[Hazard, ...]]:
    found: dict[str, list[Hazard]] = {}
    for run in runs_of(index):
        if run.where == "import":
            found.setdefault(run.place.file, []).append(Hazard("app-run-at-import", run.place))
    for module in index.modules():
        if module.tree and any(word in module.text for word in ("parse_args", "parse_known", "input(", "getpass")):
            found.setdefault(module.path, []).extend(_calls_at_import(index, module.path, module.tree))
    return {file: tuple(hazards) for file, hazards in found.items()}


def _calls_at_import(index: Index, file: str, tree: ast.Module) -> list[Hazard]:
    hazards = []
    symbols = symbols_of(index)
    for node in outer_nodes(tree.body):
        if not isinstance(node, ast.Call):
            continue
        place = Place(file, node.lineno)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _ARGUMENT_READERS and not node.args:
            hazards.append(Hazard("parses-argv-at-import", place))
            continue
        name = ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
        value = symbols.evaluate(node.func, Frame(file)) if name else None
        dotted = value.name if isinstance(value, External) else name
        if dotted in _ASKERS and not value_is_project(value):
            hazards.append(Hazard("asks-at-import", place))
    return hazards


def value_is_project(value: object) -> bool:
    """Whether a name means something of the project rather than the builtin of that name."""
    return value is not None and not isinstance(value, External)
