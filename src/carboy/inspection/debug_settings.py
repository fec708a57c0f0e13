"""Where debug is on although nobody asked for it: by code, by production's configuration, by a committed dotenv."""

import ast
import re
from collections.abc import Iterator

from carboy.inspection.code import Code, tier_of
from carboy.inspection.gitignore import ignored_by
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.routes import routes_of
from carboy.inspection.runs import Run, runs_of
from carboy.model.facts import AppFact, Place

_ON = re.compile(r"\s*(?:export\s+)?(FLASK_DEBUG|FLASK_ENV|DEBUG)\s*=\s*[\"']?(\w+)", re.IGNORECASE)
_TRUE = {"1", "true", "on", "yes", "development", "dev"}


def debug_places(index: Index, app: AppFact) -> list[Place]:
    """Every place that turns debug on in production."""
    found = [place for code in production_codes(index, app) for place in _in_code(index, code)]
    found += [run.place for run in runs_of(index) if run.debug and _runs_in_production(index, run, app)]
    return list(dict.fromkeys([*found, *_dotenv(index, app)]))


def _runs_in_production(index: Index, run: Run, app: AppFact) -> bool:
    if app.command is not None:
        return app.file == run.place.file
    return run.where == "import" and app.file is not None and run.place.file in routes_of(index).reach(app.file)


def _in_code(index: Index, code: Code) -> Iterator[Place]:
    for statement in code.assigns:
        if code.in_main_guard(statement) or not _is_true(statement.value) or _is_chosen(index, code, statement):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(_is_apps_debug(target) or _is_production_setting(code, target, statement) for target in targets):
            yield Place(code.path, statement.lineno)


def _is_production_setting(code: Code, target: ast.expr, statement: ast.stmt) -> bool:
    return isinstance(target, ast.Name) and target.id == "DEBUG" and _holds_in_production(code, statement)


def _is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value in (True, 1) and not isinstance(value.value, str)


def _is_apps_debug(target: ast.expr) -> bool:
    """`app.debug = ` and `app.config["DEBUG"] = `."""
    if isinstance(target, ast.Attribute) and target.attr == "debug":
        return isinstance(target.value, ast.Name) and "app" in target.value.id
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute) and target.value.attr == "config":
        return isinstance(target.slice, ast.Constant) and target.slice.value == "DEBUG"
    return False


def _is_chosen(index: Index, code: Code, statement: ast.stmt) -> bool:
    """Under a condition, such as `if app.config["ENV"] == "development"`, debug is a choice and not a fact."""
    line, module = statement.lineno, index.module(code.path)
    return any(each.lineno < line <= (each.end_lineno or 0) for each in (module.of(ast.If) if module else ()))


def _holds_in_production(code: Code, statement: ast.stmt) -> bool:
    """Whether DEBUG stands in production's class, in the only class, or at the top of a configuration module."""
    if code.function_of(statement) is not None:
        return False
    classes = [each for each in code.definitions if isinstance(each, ast.ClassDef)]
    owner = next((each for each in classes if each.lineno <= statement.lineno <= (each.end_lineno or 0)), None)
    if owner is None:
        is_settings = re.search(r"conf|setting", code.path.lower()) is not None or _reads_itself(code)
        return is_settings and tier_of(code.path.rsplit("/", 1)[-1].removesuffix(".py")) in {"base", "production"}
    if tier_of(owner.name) == "production":
        return True
    if tier_of(owner.name) != "base" or not _is_configuration(owner):
        return False
    heirs = [each for each in classes if each is not owner and tier_of(each.name) == "production"]
    return not any(_sets_debug(each) for each in heirs)


def _reads_itself(code: Code) -> bool:
    """`app.config.from_object(__name__)`: the names at the top of this very file are the settings."""
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "from_object"
        and any(isinstance(each, ast.Name) and each.id == "__name__" for each in call.args)
        for call in code.calls
    )


def _is_configuration(owner: ast.ClassDef) -> bool:
    return re.search(r"conf|setting|default|base", owner.name.lower()) is not None


def _sets_debug(owner: ast.ClassDef) -> bool:
    return any(
        isinstance(each, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "DEBUG" for t in each.targets)
        for each in owner.body
    )


def _dotenv(index: Index, app: AppFact) -> Iterator[Place]:
    for file in index.files:
        name = file.rsplit("/", 1)[-1]
        home = file.rpartition("/")[0]
        if name not in {".env", ".flaskenv"} or home not in {"", app.folder} or ignored_by(index, file):
            continue
        for number, text in enumerate(index.lines(file), start=1):
            match = _ON.match(text)
            if match and match[2].lower() in _TRUE:
                yield Place(file, number)
