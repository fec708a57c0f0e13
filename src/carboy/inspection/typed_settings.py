"""Settings classes whose fields are variables: pydantic's BaseSettings and environ-config."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import Code, constant_text, keyword
from carboy.model.facts import Place

_BASES = ("BaseSettings", "pydantic_settings.BaseSettings", "pydantic.BaseSettings")


@dataclass(frozen=True)
class TypedField:
    """One field: the variable it is read from."""

    name: str
    required: bool
    place: Place


def typed_fields(codes: list[Code]) -> Iterator[TypedField]:
    """Fields of every settings class in the files, those of subclasses in the same file included."""
    for code in codes:
        known: dict[str, str] = {}
        for definition in code.definitions:
            if isinstance(definition, ast.ClassDef):
                prefix = _prefix(definition, code, known)
                if prefix is not None:
                    known[definition.name] = prefix
                    yield from _fields(definition, code, prefix)


def _prefix(definition: ast.ClassDef, code: Code, known: dict[str, str]) -> str | None:
    for base in definition.bases:
        name = code.dotted(base)
        if name in _BASES or name.endswith(".BaseSettings"):
            return _own_prefix(definition)
        if name in known:
            return _own_prefix(definition) or known[name]
    return None


def _own_prefix(definition: ast.ClassDef) -> str:
    for node in ast.walk(definition):
        if isinstance(node, ast.Call):
            text = constant_text(keyword(node, "env_prefix"))
            if text:
                return text
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "env_prefix":
            return constant_text(node.value) or ""
    return ""


def _fields(definition: ast.ClassDef, code: Code, prefix: str) -> Iterator[TypedField]:
    for statement in definition.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name, value = statement.target.id, statement.value
        if name.startswith("_") or name == "model_config" or "ClassVar" in ast.unparse(statement.annotation):
            continue
        alias = _alias(value)
        yield TypedField((alias or prefix + name).upper(), _is_required(value), code.place(statement))


def _alias(value: ast.expr | None) -> str | None:
    if not isinstance(value, ast.Call):
        return None
    for name in ("validation_alias", "alias", "env"):
        text = constant_text(keyword(value, name))
        if text:
            return text
    return None


def _is_required(value: ast.expr | None) -> bool:
    if value is None:
        return True
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("Field"):
        first = value.args[0] if value.args else keyword(value, "default", "default_factory")
        return first is None or (isinstance(first, ast.Constant) and first.value is Ellipsis)
    return isinstance(value, ast.Constant) and value.value is Ellipsis
