"""Static files: which address serves which folder."""

import ast
import posixpath
from collections.abc import Iterator

from carboy.inspection.code import Code, argument, keyword, project_of
from carboy.inspection.constants import Value, evaluator_of
from carboy.inspection.flask_app import FlaskCall, find_flask_call, folder_of, joined, project_path
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.model.facts import AppFact, DependenciesFact, StaticFact


def find_static(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[StaticFact, ...]:
    """Static folders of the app and of its blueprints that exist or will be built, the app's first."""
    flask = find_flask_call(index, app)
    names = {requirement.name for requirement in dependencies.requirements}
    found = [*(_of_app(index, flask) if flask and (app.ref or app.command) else ()), *_of_blueprints(index, app)]
    found += _whitenoise(index, app) if "whitenoise" in names else ()
    unique: dict[str, StaticFact] = {}
    for fact in found:  # of two folders at one address only the first is ever served
        unique.setdefault(fact.url, fact)
    return tuple(unique.values())


def _of_app(index: Index, flask: FlaskCall) -> Iterator[StaticFact]:
    folder_node = argument(flask.call, 2, "static_folder")
    url_node = argument(flask.call, 1, "static_url_path")
    if isinstance(folder_node, ast.Constant) and folder_node.value is None:
        return
    given = _text(index, folder_node, flask.code)
    folder = project_path(given or "static", flask.root, flask.instance, "")
    url = _text(index, url_node, flask.code)
    if url is None:
        url = f"/{posixpath.basename((given or 'static').rstrip('/'))}"
    if folder and _is_there(index, folder, explicit=given is not None):
        yield StaticFact(_url(url), folder, (flask.code.place(flask.call),))


def _text(index: Index, node: ast.expr | None, code: Code) -> str | None:
    value: Value = evaluator_of(index).value(node, code)
    return value.texts[0] if value.texts else None


def _is_there(index: Index, folder: str, *, explicit: bool) -> bool:
    """A folder with files, or one that the code names and a build step will fill."""
    return folder in index.folders or (explicit and folder not in {"", "."})


def _url(url: str) -> str:
    return "/" + url.strip("/")


def _of_blueprints(index: Index, app: AppFact) -> Iterator[StaticFact]:
    codes = production_codes(index, app)
    prefixes = _registered_prefixes(index, codes)
    for code in codes:
        for call in code.calls_of("Blueprint", "APIBlueprint"):
            folder_node = keyword(call, "static_folder") or (argument(call, 2) if len(call.args) > 2 else None)
            given = _text(index, folder_node, code)
            folder = project_path(given, folder_of(code.path), "", "") if given else None
            if folder and folder in index.folders:
                yield StaticFact(
                    _blueprint_url(index, call, code, given or "static", prefixes), folder, (code.place(call),)
                )


def _blueprint_url(index: Index, call: ast.Call, code: Code, given: str, prefixes: dict[str, str]) -> str:
    """A blueprint's own address: without a prefix the app's /static wins over it, so that it needs one to be seen."""
    url = _text(index, keyword(call, "static_url_path"), code)
    name = _text(index, argument(call, 0, "name"), code) or ""
    named = [_variable_of(call, code), name, *([code.path] if code.function_of(call) else [])]
    registered = next((prefixes[each] for each in named if each in prefixes), None)
    prefix = registered or _text(index, keyword(call, "url_prefix"), code) or ""
    return _url(joined(prefix.strip("/"), (url or posixpath.basename(given)).strip("/")))


def _variable_of(call: ast.Call, code: Code) -> str:
    for name, values in code.module_names.items():
        if call in values:
            return name
    return ""


def _registered_prefixes(index: Index, codes: list[Code]) -> dict[str, str]:
    """Prefixes given where blueprints are registered, by the last part of the name used there."""
    found: dict[str, str] = {}
    for code in codes:
        for call in code.calls_of("register_blueprint"):
            registers = isinstance(call.func, ast.Attribute)
            prefix = _text(index, keyword(call, "url_prefix"), code) if registers else None
            if prefix and call.args:
                found.update(dict.fromkeys(_registered_names(index, call.args[0], code), prefix))
    return found


def _registered_names(index: Index, node: ast.expr, code: Code) -> list[str]:
    """What a registered blueprint may be known by: its names, or the file of the function that makes it."""
    if isinstance(node, ast.Call):
        made = project_of(index).function(code.dotted(node.func), code.path)
        return [made[0].path] if made else []
    return [name for name in (code.dotted(node).rsplit(".", 1)[-1], ast.unparse(node).rsplit(".", 1)[-1]) if name]


def _whitenoise(index: Index, app: AppFact) -> Iterator[StaticFact]:
    """`WhiteNoise(app, root="static/", prefix="assets/")` and `add_files`."""
    for code in production_codes(index, app):
        for call in code.calls_of("WhiteNoise", "add_files"):
            root = _text(index, keyword(call, "root"), code)
            folder = project_path(root, app.folder, "", app.folder) if root else None
            if folder and folder in index.folders:
                yield StaticFact(_url(_text(index, keyword(call, "prefix"), code) or ""), folder, (code.place(call),))
