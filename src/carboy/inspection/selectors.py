"""Variables that select a configuration, and the word that selects production's."""

import ast
import re
from collections.abc import Iterator

from carboy.inspection.code import Code, Function, argument, project_of
from carboy.inspection.constants import Evaluator, Value, evaluator_of
from carboy.inspection.index import Index

_PRODUCTION = re.compile(r"^(prod|production|live|release)$|^(prod|production)|production$", re.IGNORECASE)


def suggestions(index: Index, codes: list[Code]) -> dict[str, str]:
    """For each selecting variable the value that stands for production, where the project has one."""
    evaluator = evaluator_of(index)
    found: dict[str, str] = {}
    maps = {name for code in project_of(index).ours for name in _maps_with_production(code)}
    for code in codes:
        for variable, word in _in_file(index, code, evaluator, maps):
            found.setdefault(variable, word)
    return found


def _maps_with_production(code: Code) -> Iterator[str]:
    """Names of dictionaries that have a key for production: few files have one."""
    for statement in code.assigns:
        keys = _map_keys(statement.value) if statement.value is not None else []
        if any(_PRODUCTION.search(key) for key in keys):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _map_keys(value: ast.expr) -> list[str]:
    if isinstance(value, ast.Dict):
        return _keys(value)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        return [item.arg for item in value.keywords if item.arg]
    return []


def _is_map(node: ast.expr, maps: set[str]) -> bool:
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return isinstance(node, ast.Dict) or last in maps


def _in_file(index: Index, code: Code, evaluator: Evaluator, maps: set[str]) -> Iterator[tuple[str, str]]:
    for node in code.subscripts:
        if not _is_map(node.value, maps):
            continue
        word = None if isinstance(node.slice, ast.Constant) else _production_key(node.value, code, index)
        if word:
            yield from _pairs(evaluator.value(node.slice, code), word)
    for call in code.calls_where(_may_select):
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method == "get" and isinstance(call.func, ast.Attribute) and call.args and _is_map(call.func.value, maps):
            word = None if isinstance(call.args[0], ast.Constant) else _production_key(call.func.value, code, index)
            yield from _pairs(evaluator.value(call.args[0], code), word) if word else ()
        elif method == "from_object" or code.dotted(call.func).endswith("import_string"):
            yield from _from_object(index, argument(call, 0, "obj"), code, evaluator)
    lowered = code.text.lower()
    for compare in code.compares if any(word in lowered for word in ("prod", "live", "release")) else ():
        yield from _compared(compare, code, evaluator)


def _may_select(name: str) -> bool:
    return name in {"get", "from_object"} or name.endswith("import_string")


def _pairs(value: Value, word: str) -> Iterator[tuple[str, str]]:
    return ((name, word) for name in value.variables)


def _production_key(node: ast.expr, code: Code, index: Index) -> str | None:
    """The key of a dictionary of configurations that stands for production."""
    for keys in _dict_keys(node, code, index):
        for key in keys:
            if _PRODUCTION.search(key):
                return key
    return None


def _dict_keys(node: ast.expr, code: Code, index: Index) -> Iterator[list[str]]:
    if isinstance(node, ast.Dict):
        yield _keys(node)
        return
    dotted = code.dotted(node)
    if not dotted or dotted.startswith("?"):
        return
    project = project_of(index)
    values = list(code.module_names.get(dotted, ()))
    resolved = project.resolve(dotted, code.path)
    if resolved:
        values += project.codes[resolved[0]].module_names.get(resolved[1], [])
    values += _assigned_in(code.function_of(node), dotted)
    for value in values:
        yield _map_keys(value)


def _assigned_in(function: Function | None, name: str) -> list[ast.expr]:
    nodes = ast.walk(function) if function else ()
    return [node.value for node in nodes if isinstance(node, ast.Assign) and _names(node, name)]


def _names(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)


def _keys(node: ast.Dict) -> list[str]:
    return [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def _compared(node: ast.Compare, code: Code, evaluator: Evaluator) -> Iterator[tuple[str, str]]:
    sides = [node.left, *node.comparators]
    words = [text for side in sides for text in _words(side) if _PRODUCTION.search(text)]
    if words:
        for side in sides:
            if not isinstance(side, ast.Constant):
                yield from _pairs(evaluator.value(side, code), words[0])


def _words(node: ast.expr) -> list[str]:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _from_object(index: Index, node: ast.expr | None, code: Code, evaluator: Evaluator) -> Iterator[tuple[str, str]]:
    """`from_object(os.environ["APP_SETTINGS"])` and `from_object(f"config.{name}Config")`."""
    value = evaluator.value(node, code)
    if not value.variables or node is None:
        return
    for module, name in _configurations(index):
        if not re.search(r"prod", name or module.rsplit(".", 1)[-1], re.IGNORECASE):
            continue
        whole = f"{module}.{name}" if name else module
        pattern = _pattern(node, code, evaluator)
        match = re.fullmatch(pattern, whole, re.IGNORECASE) if pattern else None
        if match and match.groups() and match[1]:
            yield from ((variable, match[1]) for variable in value.variables)
            return
        if not pattern:
            yield from ((variable, whole) for variable in value.variables)
            return


def _pattern(node: ast.expr, code: Code, evaluator: Evaluator) -> str | None:
    """A pattern for what the variable stands for in a text that is built around it; None where it is the whole."""
    if isinstance(node, ast.Name):
        function = code.function_of(node)
        values = (
            [s.value for s in ast.walk(function) if isinstance(s, ast.Assign) and _names(s, node.id)]
            if function
            else []
        )
        values += code.module_names.get(node.id, [])
        return _pattern(values[-1], code, evaluator) if values else None
    if isinstance(node, ast.JoinedStr):
        parts = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
        return "".join("(.+)" if part is None else re.escape(str(part)) for part in parts)
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        texts = [side.value if isinstance(side, ast.Constant) else None for side in sides]
        return "".join("(.+)" if text is None else re.escape(str(text)) for text in texts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        form = node.func.value
        if isinstance(form, ast.Constant) and isinstance(form.value, str):
            return re.sub(r"\\\{\w*\\\}", "(.+)", re.escape(form.value))
    return None


def _configurations(index: Index) -> Iterator[tuple[str, str]]:
    """Modules of the project's files with the classes in them, by the dotted names that imports use."""
    for code in project_of(index).ours:
        module = code.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".").removeprefix("src.")
        yield module, ""
        for definition in code.definitions:
            if isinstance(definition, ast.ClassDef):
                yield module, definition.name
