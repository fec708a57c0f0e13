"""Where the Flask object of the app keeps its root, instance and static folders."""

import ast
from dataclasses import dataclass
from pathlib import PurePosixPath

from carboy.inspection.code import Answer, Code, argument, keyword
from carboy.inspection.constants import INSTANCE, ROOT, UNKNOWN, WORKING, evaluator_of
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.model.facts import AppFact

FLASK_CLASSES = frozenset({
    "flask.Flask", "Flask", "quart.Quart", "flask_openapi3.OpenAPI", "apiflask.APIFlask", "connexion.FlaskApp",
    "connexion.App", "flask.app.Flask", "flask_appfactory.appfactory", "flask_lambda.FlaskLambda",
})  # fmt: skip


@dataclass(frozen=True)
class FlaskCall:
    """The call that makes the app, with the folders that follow from it (relative to the project)."""

    code: Code
    call: ast.Call
    root: str
    instance: str


def find_flask_call(index: Index, app: AppFact) -> FlaskCall | None:
    """The `Flask(...)` that makes the app: in the app's file if it is there, else where its imports lead first."""
    return index.derived(Answer(_find, (app,)))


def _find(index: Index, app: AppFact) -> FlaskCall | None:
    codes = production_codes(index, app)
    codes.sort(key=lambda code: code.path != app.file)
    for code in codes:
        names = FLASK_CLASSES | _subclasses(code)
        for call in code.calls_of(*sorted(name.rsplit(".", 1)[-1] for name in names)):
            if code.dotted(call.func) in names and not code.in_main_guard(call):
                root = folder_of(code.path)
                return FlaskCall(code, call, root, _instance(index, code, call))
    return None


def _subclasses(code: Code) -> set[str]:
    classes = [definition for definition in code.definitions if isinstance(definition, ast.ClassDef)]
    return {c.name for c in classes if any(code.dotted(base) in FLASK_CLASSES for base in c.bases)}


def folder_of(path: str) -> str:
    """The folder of a file, "" for the project's root."""
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def _instance(index: Index, code: Code, call: ast.Call) -> str:
    """As Flask finds it: beside the outermost package, or beside the module."""
    given = keyword(call, "instance_path")
    if given is not None:
        value = evaluator_of(index).value(given, code)
        path = project_path(value.texts[0], "", "", "") if value.texts else None
        if path:
            return path
    folder = folder_of(code.path)
    while folder and index.has(f"{folder}/__init__.py"):
        folder = folder_of(folder)
    return joined(folder, "instance")


def joined(folder: str, rest: str) -> str:
    """Two parts of a project path, without a leading slash."""
    return f"{folder}/{rest}".strip("/") if folder else rest


def project_path(text: str, relative_to: str, instance: str, working: str) -> str | None:
    """A path of the project made from an evaluated text; None where it lies outside or is not known."""
    path = text.replace("\\", "/").lstrip("/") if text.lstrip("/")[:1] in {ROOT, INSTANCE, WORKING} else text
    path = path.replace("\\", "/")
    if UNKNOWN in path or path.startswith(("/", "~")) or path[1:3] == ":/" or not path:
        return None
    for mark, folder in ((ROOT, ""), (INSTANCE, instance), (WORKING, working)):
        if path.startswith(mark):
            return _inside(joined(folder, path[1:].lstrip("/")))
    return None if any(ord(c) in range(0xE000, 0xE010) for c in path) else _inside(joined(relative_to, path))


def _inside(path: str) -> str | None:
    """The path without `.` and `..`, None where it climbs out of the project."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) or "."


def static_argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    """An argument of Flask's or Blueprint's constructor."""
    return argument(call, position, name)
