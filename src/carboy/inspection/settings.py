"""Settings of the app, wherever they are written: config classes, modules, `app.config[...]`, mappings."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from carboy.inspection.code import Code, argument, assigned, constant_text, project_of, tier_of
from carboy.inspection.index import Index
from carboy.model.facts import Place

_KEY = re.compile(r"^[A-Z][A-Z0-9_]*$")
_CELERY = {"broker_url": "CELERY_BROKER_URL", "result_backend": "CELERY_RESULT_BACKEND"}
_CONFIGURATION = re.compile(
    r"conf|cfg|sett|option|dev|prod|test|stag|base|default|local|common|env|secret|param|const|flask|deploy|heroku|^app$",
    re.IGNORECASE,
)
_ORDER = ("production", "base", "staging", "development")


@dataclass(frozen=True)
class Setting:
    """One place that sets `key`. `owner` is the class it stands in, `at_import` whether importing runs it."""

    key: str
    node: ast.expr
    code: Code
    tier: str
    owner: str
    at_import: bool

    @property
    def place(self) -> Place:
        return self.code.place(self.node)


def settings_of(index: Index) -> tuple[Setting, ...]:
    """Every setting of the project's own files, in order; shared."""
    return index.derived(_read_settings)


def in_production(settings: list[Setting]) -> list[Setting]:
    """Of several settings of one key those that count in production: tests never, development when nothing else."""
    for tier in _ORDER:
        found = [setting for setting in settings if setting.tier == tier]
        if found:
            return found
    return []


def _read_settings(index: Index) -> tuple[Setting, ...]:
    found = [setting for code in project_of(index).ours for setting in _of_file(code)]
    return tuple(found)


def _of_file(code: Code) -> Iterator[Setting]:
    named: list[tuple[str, ast.expr, ast.AST]] = []
    for statement in code.assigns:
        named += _assignments(statement, code)
    for call in code.calls_of("update", "from_mapping", "setdefault"):
        named += [(key, value, call) for key, value in _call_settings(call, code)]
    for key, value, node in sorted(named, key=lambda item: getattr(item[1], "lineno", 0)):
        yield _setting(key, value, node, code)


def _setting(key: str, value: ast.expr, node: ast.AST, code: Code) -> Setting:
    owners = code.owners(node)
    classes = [owner.name for owner in owners if isinstance(owner, ast.ClassDef)]
    functions = [owner.name for owner in owners if not isinstance(owner, ast.ClassDef)]
    tier = tier_of(*classes[-1:], *functions[-1:], *_branch_words(code, node), _stem(code.path))
    return Setting(key, value, code, tier, classes[-1] if classes else "", not functions)


def _stem(path: str) -> str:
    pure = PurePosixPath(path)
    inside = pure.parent.name if pure.parent.name.lower() in {"config", "configs", "settings"} else ""
    return pure.stem if inside or "conf" in pure.stem or "sett" in pure.stem else ""


def _branch_words(code: Code, node: ast.AST) -> list[str]:
    """The word of the branch a setting stands in: `if testing:`, and production in the else of development."""
    line, words = getattr(node, "lineno", 0), []
    for branch in code.branches:
        if not branch.lineno <= line <= (branch.end_lineno or 0):
            continue
        test = tier_of(ast.unparse(branch.test))
        negative = isinstance(branch.test, ast.UnaryOp) or "is None" in ast.unparse(branch.test)
        inside = line <= (branch.body[-1].end_lineno or 0)
        if inside and not negative:
            words.append(test)
        elif not inside and test == "development":
            words.append("production")
    return [word for word in words if word != "base"]


def _assignments(statement: ast.Assign | ast.AnnAssign, code: Code) -> Iterator[tuple[str, ast.expr, ast.AST]]:
    value = statement.value
    if value is None:
        return
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in targets:
        key = _target_key(target)
        if key:
            yield key, value, statement
    yield from ((key, part, statement) for key, part in _celery_items(value))
    if not any(name in _CELERY or _KEY.match(name) for name, _ in assigned(statement)):
        return
    owner = next(iter(code.owners(statement)[-1:]), None)
    if owner is None or (isinstance(owner, ast.ClassDef) and _is_configuration(owner)):
        for name, part in assigned(statement):
            if name in _CELERY:
                yield _CELERY[name], part, statement
            if _KEY.match(name) and name not in {"T", "P"}:
                yield name, part, statement
                yield from ((key, item, statement) for key, item in _dict_items(part))


def _is_configuration(owner: ast.ClassDef) -> bool:
    """Whether a class is one of settings, by its name or its bases': enumerations and forms have capitals too."""
    names = [owner.name, *(ast.unparse(base).rsplit(".", 1)[-1] for base in owner.bases)]
    return any(_CONFIGURATION.search(name) for name in names)


def _target_key(target: ast.expr) -> str | None:
    match target:
        case ast.Subscript(value=ast.Attribute(attr="config" | "conf"), slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript(value=ast.Name(id="config" | "conf"), slice=ast.Constant(value=str(key))):
            return key if _KEY.match(key) else None
        case ast.Attribute(attr="secret_key"):
            return "SECRET_KEY"
        case ast.Attribute(attr="config_path" | "permanent_session_lifetime"):
            return None
        case ast.Attribute(value=ast.Attribute(attr="config" | "conf"), attr=key) if _KEY.match(key):
            return key
        case ast.Attribute(value=ast.Name(id="self"), attr=key) if _KEY.match(key):
            return key
    return None


def _call_settings(call: ast.Call, code: Code) -> Iterator[tuple[str, ast.expr]]:
    if not isinstance(call.func, ast.Attribute):
        return
    receiver, method = call.func.value, call.func.attr
    is_config = code.dotted(receiver).rsplit(".", 1)[-1] in {"config", "conf"} or method == "from_mapping"
    if is_config and method in {"update", "from_mapping"}:
        for item in call.keywords:
            if item.arg:
                yield item.arg, item.value
                yield from _celery_items(item.value)
        for part in call.args[:1]:
            yield from _dict_items(part)
    if is_config and method == "setdefault" and len(call.args) == 2:
        key = constant_text(argument(call, 0))
        if key:
            yield key, call.args[1]


def _celery_items(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Celery's own small settings inside a dictionary: `CELERY=dict(broker_url=...)`."""
    pairs: list[tuple[str | None, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [(constant_text(key), value) for key, value in zip(node.keys, node.values, strict=True)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        pairs = [(item.arg, item.value) for item in node.keywords]
    yield from ((_CELERY[name], value) for name, value in pairs if name in _CELERY)


def _dict_items(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            text = constant_text(key)
            if text and _KEY.match(text):
                yield text, value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        yield from ((item.arg, item.value) for item in node.keywords if item.arg and _KEY.match(item.arg))
