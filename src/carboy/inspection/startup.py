"""What importing the app and calling its factory does to the data."""

import ast
import re
from collections.abc import Iterator

from carboy.inspection.code import Answer, Code, Function, is_main_guard
from carboy.inspection.effects import Effects, effects_of
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.model.facts import AppFact

_FIRST_REQUEST = re.compile(
    r"before_first_request|before_request|before_app_request|before_app_first_request|before_serving"
)


def startup_effects(index: Index, app: AppFact) -> Effects:
    """Effects of importing the production files and of the factory, followed through what they call."""
    return index.derived(Answer(_at_start, (app,)))


def _at_start(index: Index, app: AppFact) -> Effects:
    merged = Effects()
    for code in production_codes(index, app):
        for tag, (where, line) in effects_of(index, _at_import(code), code).tags.items():
            merged.add(tag, where, line)
        function = _factory(code, app)
        if function:
            for tag, (where, line) in effects_of(index, function.body, code).tags.items():
                merged.add(tag, where, line)
    return merged


def first_request_effects(index: Index, app: AppFact) -> Effects:
    """Effects of hooks that run before requests."""
    merged = Effects()
    for code in production_codes(index, app):
        for definition in code.definitions if code.mentions("before_") else ():
            decorators = " ".join(ast.unparse(decorator) for decorator in definition.decorator_list)
            if _FIRST_REQUEST.search(decorators):
                for tag, (where, line) in effects_of(index, definition.body, code).tags.items():
                    merged.add(tag, where, line)
    return merged


def _at_import(code: Code) -> Iterator[ast.stmt]:
    """Statements of a file that importing runs: not what stands under the main guard."""
    for statement in code.tree.body:
        if isinstance(statement, ast.If) and is_main_guard(statement):
            continue
        if not isinstance(
            statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
        ):
            yield statement


def _factory(code: Code, app: AppFact) -> Function | None:
    if not app.factory or not app.ref or code.path != app.file:
        return None
    name = re.split(r"\(", app.ref.partition(":")[2])[0]
    for definition in code.definitions:
        if not isinstance(definition, ast.ClassDef) and definition.name == name:
            return definition
    return None
