"""Alembic's revision files: heads, lossy steps, and tables that none of them makes."""

import ast
import re

from carboy.inspection.code import Code, assigned, constant_text, project_of
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.model.facts import AppFact, Place


def heads_of(index: Index, revisions: tuple[str, ...]) -> list[str]:
    """The revision files that no other one follows."""
    parents: set[str] = set()
    names: dict[str, str] = {}
    for path in revisions:
        revision, down = _identity(index, path)
        parents.update(down)
        if revision:
            names.setdefault(revision, path)
    return [path for revision, path in sorted(names.items(), key=lambda item: item[1]) if revision not in parents]


def _identity(index: Index, path: str) -> tuple[str | None, list[str]]:
    code = project_of(index).codes.get(path)
    revision, down = None, list[str]()
    for statement in code.tree.body if code else ():
        for name, value in assigned(statement):
            if name == "revision":
                revision = constant_text(value)
            elif name == "down_revision":
                parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
                down += [text for text in map(constant_text, parts) if text]
    return revision, down


def lossy_steps(index: Index, path: str) -> list[Place]:
    """Where the upgrade of a revision drops a table or a column."""
    code = project_of(index).codes.get(path)
    if code is None:
        return []
    upgrades = [d for d in code.definitions if d.name.startswith("upgrade") and not isinstance(d, ast.ClassDef)]
    calls = [call for call in code.calls if any(d.lineno <= call.lineno <= (d.end_lineno or 0) for d in upgrades)]
    names = ("drop_table", "drop_column")
    return [code.place(call) for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in names]


def tables_never_made(index: Index, app: AppFact, revisions: tuple[str, ...]) -> list[tuple[str, Place]]:
    """Tables of the models that no revision names; none where the revisions are not plain enough to tell."""
    texts = [index.text(path) or "" for path in revisions]
    made = {name for text in texts for name in re.findall(r"create_table\(\s*[\"'](\w+)", text)}
    if not made or any("op.execute" in text or "rename_table" in text for text in texts):
        return []
    tables = [found for code in production_codes(index, app) for found in _tables(code)]
    return [(name, place) for name, place in tables if name not in made]


def _tables(code: Code) -> list[tuple[str, Place]]:
    """Tables that are named in so many words: a name made from the class could be spelt in several ways."""
    found = []
    for definition in code.definitions:
        if not isinstance(definition, ast.ClassDef):
            continue
        for statement in definition.body:
            for name, value in assigned(statement):
                text = constant_text(value) if name == "__tablename__" else None
                if text:
                    found.append((text, code.place(statement)))
    return found
