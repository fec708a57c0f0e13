"""The project's own commands: Flask's command line, Flask-Script, scripts that run as they stand."""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import Answer, Code, Function, Project, constant_text, is_decoy, keyword, project_of
from carboy.inspection.effects import Effects, effects_of
from carboy.inspection.index import Index
from carboy.model.facts import AppFact, Place

_SUFFIXES = re.compile(r"_(command|cmd|group|grp)$")  # click 8.2 and later cut them off
_VERBS = "init|create|setup|set_up|make|build|seed|populate|load|bootstrap|prepare|install|reset|initiali[sz]e|migrate"
_SCRIPT = re.compile(
    rf"^(({_VERBS})_?\w*|\w*_?(init|setup|seed|seeds|create|seeder|loader)|(db|database|schema|tables|models|data)_?\w*"
    r"|manage|deploy|initdb|createdb)$"
)
_ASKS = re.compile(r"prompt=(?!False|None)|password_option|confirmation_option|prompt_required")
_NEEDS = re.compile(r"click\.argument\((?!.*(required=False|default=|nargs=-1))|required=True")


@dataclass(frozen=True)
class OwnCommand:
    """A command: its words, what it does, whether it asks or needs arguments, and where it is defined."""

    words: str
    name: str
    effects: Effects
    asks: bool
    needs_arguments: bool
    place: Place
    kind: str  # flask | manage | script


def own_commands(index: Index, app: AppFact) -> list[OwnCommand]:
    """Every command that reading finds, Flask's first, then manage.py's, then scripts."""
    return list(index.derived(Answer(_find, (app,))))


def _find(index: Index, app: AppFact) -> list[OwnCommand]:
    project = project_of(index)
    added = _added_commands(project)
    found = [each for code in project.ours for each in _of_file(index, added, code, app)]
    found += [each for code in project.ours for each in _scripts(index, code, app)]
    order = {"flask": 0, "manage": 1, "script": 2}
    return sorted(found, key=lambda each: order[each.kind])


def _of_file(index: Index, added: set[str], code: Code, app: AppFact) -> Iterator[OwnCommand]:
    for definition in code.definitions:
        if isinstance(definition, ast.ClassDef):
            continue
        for decorator in definition.decorator_list:
            words, kind = _words(decorator, definition, code, app, added)
            if words:
                yield _command(index, words, kind, definition, code)


def _command(index: Index, words: str, kind: str, function: Function, code: Code) -> OwnCommand:
    effects = effects_of(index, function.body, code)
    decorators = " ".join(ast.unparse(decorator) for decorator in function.decorator_list)
    asks = effects.has("prompt") or bool(_ASKS.search(decorators))
    needs = bool(_NEEDS.search(decorators))
    if kind == "manage" and ".option(" not in decorators:
        needs = needs or len(function.args.args) > len(function.args.defaults)
    return OwnCommand(words, words.split()[-1], effects, asks, needs, code.place(function), kind)


def _words(decorator: ast.expr, function: Function, code: Code, app: AppFact, added: set[str]) -> tuple[str, str]:
    call = decorator if isinstance(decorator, ast.Call) else None
    target = call.func if call else decorator
    if not isinstance(target, ast.Attribute) or target.attr != "command":
        return "", ""
    named = (call.args[0] if call.args else keyword(call, "name")) if call else None
    name = constant_text(named)
    receiver = ast.unparse(target.value)
    given = name or _SUFFIXES.sub("", function.name).replace("_", "-").lower()
    if receiver == "click":
        return (f"flask {given}", "flask") if function.name in added else ("", "")
    if receiver.endswith(".cli"):
        group = _blueprint_group(receiver.removesuffix(".cli"), code)
        return f"flask {group}{given}", "flask"
    return _grouped(receiver, given, function, code, app)


def _grouped(receiver: str, given: str, function: Function, code: Code, app: AppFact) -> tuple[str, str]:
    """Commands of a group object: AppGroup, FlaskGroup, Flask-Script's Manager, a click group."""
    for made in code.module_names.get(receiver, ()):
        maker = code.dotted(made.func).rsplit(".", 1)[-1] if isinstance(made, ast.Call) else ""
        if maker == "AppGroup" and isinstance(made, ast.Call):
            group = constant_text(made.args[0]) if made.args else constant_text(keyword(made, "name"))
            return f"flask {group or receiver} {given}", "flask"
        if maker in {"FlaskGroup", "Group"}:
            return f"{_run(code, app)} {given}", "manage"
        if maker == "Manager":
            return f"{_run(code, app)} {function.name}", "manage"
    decorated = [d for d in code.definitions if d.name == receiver and d.decorator_list]
    if any(".cli.group" in ast.unparse(definition.decorator_list[0]) for definition in decorated):
        return f"flask {receiver.replace('_', '-')} {given}", "flask"
    runs = any(receiver in ast.unparse(guard) for guard in code.main_guards)
    return (f"{_run(code, app)} {given}", "manage") if runs else ("", "")


def _run(code: Code, app: AppFact) -> str:
    """How a file is run from the app's folder: a module of a package by `-m`, so that its imports hold."""
    path = posixpath.relpath(code.path, app.folder or ".")
    return f"python {path}"


def _blueprint_group(receiver: str, code: Code) -> str:
    for made in code.module_names.get(receiver, ()):
        if isinstance(made, ast.Call) and code.dotted(made.func).endswith("Blueprint"):
            group = keyword(made, "cli_group")
            if group is not None:
                text = constant_text(group)
                return f"{text} " if text else ""
            name = constant_text(made.args[0]) if made.args else None
            return f"{name} " if name else ""
    return ""


def _added_commands(project: Project) -> set[str]:
    """Functions that `app.cli.add_command` adds."""
    names = set()
    for code in project.ours:
        for call in code.calls_of("add_command"):
            if isinstance(call.func, ast.Attribute) and call.args:
                names.add(ast.unparse(call.args[0]).rsplit(".", 1)[-1])
    return names


def _scripts(index: Index, code: Code, app: AppFact) -> Iterator[OwnCommand]:
    """Files named for preparing data that do it when they are run."""
    stem = posixpath.basename(code.path).removesuffix(".py").lower()
    if not _SCRIPT.match(stem) or code.path == app.file or is_decoy(code.path) or _is_revision(index, code.path):
        return
    body: list[ast.stmt] = []
    for statement in code.tree.body:
        guard = isinstance(statement, ast.If) and statement in code.main_guards
        body += statement.body if guard and isinstance(statement, ast.If) else [statement]
    if not code.main_guards and _is_imported(index, code):
        return
    effects = effects_of(index, body, code)
    serves = any(".run(" in ast.unparse(guard) for guard in code.main_guards)
    if effects.tags and not serves:
        needs = "argparse" in code.imports or "sys.argv[1]" in (index.text(code.path) or "")
        yield OwnCommand(_run(code, app), stem, effects, effects.has("prompt"), needs, Place(code.path, 1), "script")


def _is_revision(index: Index, path: str) -> bool:
    return "/versions/" in path or bool(re.search(r"(?m)^down_revision\b", index.text(path) or ""))


def _is_imported(index: Index, code: Code) -> bool:
    """Whether other files import this one: then its statements are no script of their own."""
    stem = posixpath.basename(code.path).removesuffix(".py")
    project = project_of(index)
    return any(
        name.split(".")[-1] == stem or stem in name.split(".")
        for other in project.ours
        if other is not code
        for name in other.import_lines
    )
