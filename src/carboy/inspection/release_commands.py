"""The project's own commands that prepare its data."""

import ast
import builtins
import re
from collections.abc import Iterator

from carboy.inspection.code import Code, Function
from carboy.inspection.data import find_data
from carboy.inspection.effects import Effects, effects_of
from carboy.inspection.index import Index
from carboy.inspection.migrations import find_migrations
from carboy.inspection.own_commands import OwnCommand, own_commands
from carboy.inspection.reach import production_codes
from carboy.inspection.shell_lines import prepared_in_recipes, release_line
from carboy.inspection.startup import first_request_effects, startup_effects
from carboy.model.facts import AppFact, DependenciesFact, MigrationsFact, Place, ReleaseCommandFact

_NEVER = re.compile(
    r"(^|[-_ /])(drop|reset|recreate|fake|dummy|tests?|shell|demo|samples?|dev|lint|clear|delete|remove|clean|wipe|"
    r"flush|purge|destroy|routes|profile|cov|coverage|run|serve|runserver|worker|compile|translate|export|backup|list|"
    r"show|check|report|send|rollback|downgrade|revision|fetch|scrape|crawl|cron|notify|stats|truncate|rebuild|fakes?|"
    r"forged?|debug|bench|benchmark|mock|undo|teardown|uninstall)([-_ .]|$)"
)
_WANTED = re.compile(
    r"init|creat|setup|set[-_]up|seed|populate|load|deploy|bootstrap|install|prepare|migrate|make|build|add|insert|ensure|"
    r"upgrade|fixture|db|database|tables?|schema|roles?|provision|default|data"
)
_MAKER = re.compile(r"init|creat|setup|db|tables|schema")
_SCHEMA = ("create", "create-bare", "upgrade")
_ROWS = ("insert", "insert-checked", "dump")
_LOSSES = {
    "drop": "drops tables",
    "truncate": "empties tables",
    "delete-rows": "deletes rows",
    "delete-files": "deletes files",
    "dump": "loads a dump",
    "migrate": "writes a new migration instead of applying one",
    "create-bare": "creates tables without asking whether they are there",
    "insert": "inserts rows without asking first",
}


def find_release_commands(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[ReleaseCommandFact, ...]:
    """Commands to run before a release serves: schema first, then reference data."""
    migrations = find_migrations(index, dependencies, app)
    commands = own_commands(index, app)
    known = {command.words: command for command in commands}
    released = [_released(words, place, known) for words, place in release_line(index, app.folder)]
    if released:
        return tuple(released)
    recipes = prepared_in_recipes(index)
    chosen = _chosen(index, app, commands, migrations, recipes)
    facts = [_fact(command, recipes.get(command.words)) for command in chosen]
    if migrations and not any(command.effects.has("upgrade") and not _reason(command.effects) for command in chosen):
        facts.insert(0, ReleaseCommandFact(migrations.command, False, "applies the migrations", migrations.evidence))
    if not migrations and not _has_schema(chosen):
        facts = [*_from_recipes(recipes, known), *_derived(index, dependencies, app), *facts]
    return tuple({fact.command: fact for fact in facts}.values())


def _released(words: str, place: Place, known: dict[str, OwnCommand]) -> ReleaseCommandFact:
    """A part of the Procfile's release line: the project's word, judged by what the command does."""
    plain = re.sub(r"^python3 ", "python ", re.sub(r"^python3? -m flask ", "flask ", words))
    command = known.get(plain)
    reason = _reason(command.effects) if command else ""
    if re.search(r"\bdb migrate\b", words):
        reason = _LOSSES["migrate"]
    evidence = (place, command.place) if command else (place,)
    return ReleaseCommandFact(words, bool(reason), reason or "named by the Procfile's release line", evidence)


def _chosen(
    index: Index, app: AppFact, commands: list[OwnCommand], migrations: MigrationsFact | None, recipes: dict[str, Place]
) -> list[OwnCommand]:
    """One command that makes the schema (none where migrations or the app itself do), then those that fill it."""
    usable = [c for c in commands if not c.asks and not c.needs_arguments and not c.effects.has("fake")]
    named = [c for c in usable if c.words in recipes or _is_wanted(c.name)]
    made = migrations is not None or startup_effects(index, app).has(*_SCHEMA)
    makers = [c for c in named if c.effects.has(*_SCHEMA)]
    full = [c for c in makers if c.effects.has("upgrade") and migrations and not _reason(c.effects)]
    schema = full[:1] if migrations else [] if made else _best_maker(makers, usable, recipes)
    rows = [c for c in named if c.effects.has(*_ROWS) and c not in makers and not c.effects.has("drop", "migrate")]
    if migrations or made:
        rows += [c for c in makers if c not in schema and c.effects.has("insert-checked") and not _reason(c.effects)]
    return [*schema, *sorted(_without_parts(rows, schema), key=_rank)]


def _is_wanted(name: str) -> bool:
    return bool(_WANTED.search(name)) and not _NEVER.search(name)


def _best_maker(makers: list[OwnCommand], usable: list[OwnCommand], recipes: dict[str, Place]) -> list[OwnCommand]:
    """The gentlest of several; one that drops first is taken only where there is no other."""
    gentle = sorted(makers, key=lambda c: (c.words not in recipes, c.effects.has("drop"), bool(_reason(c.effects))))
    if gentle:
        return gentle[:1]
    last = [c for c in usable if re.search(r"recreate|reset", c.name) and c.effects.has("create", "create-bare")]
    return last[:1]


def _without_parts(rows: list[OwnCommand], schema: list[OwnCommand]) -> Iterator[OwnCommand]:
    """Commands whose work the schema's command does as well are left out."""
    covered = {place for command in schema for place in _spots(command.effects)}
    seen: set[tuple[str, int]] = set()
    for command in rows:
        spots = _spots(command.effects)
        if not (spots and spots <= covered) and not (spots and spots <= seen):
            seen |= spots
            yield command


def _spots(effects: Effects) -> set[tuple[str, int]]:
    return {(code.path, line) for tag, (code, line) in effects.tags.items() if tag in {*_ROWS, *_SCHEMA}}


def _rank(command: OwnCommand) -> int:
    for rank, pattern in enumerate(
        (r"role|permission|default|setting", r"admin|user", r"seed|populat|fixture|load|insert")
    ):
        if re.search(pattern, command.name):
            return rank
    return 1


def _has_schema(chosen: list[OwnCommand]) -> bool:
    return any(command.effects.has(*_SCHEMA) for command in chosen)


def _reason(effects: Effects) -> str:
    """Why a command may not be repeated; "" where it may."""
    reasons = [text for tag, text in _LOSSES.items() if effects.has(tag)]
    if effects.has("drop") and "create-bare" in effects.tags:
        reasons.remove(_LOSSES["create-bare"])
    return " and ".join(reasons[:2])


def _fact(command: OwnCommand, recipe: Place | None) -> ReleaseCommandFact:
    reason = _reason(command.effects)
    first = min((spot for spot in command.effects.tags.values()), key=lambda spot: spot[1], default=None)
    evidence = [command.place, *([recipe] if recipe else [])]
    decisive = next((command.effects.tags[tag] for tag in _LOSSES if command.effects.has(tag)), first)
    if decisive:
        evidence.append(Place(decisive[0].path, decisive[1]))
    what = "creates tables" if command.effects.has(*_SCHEMA) else "inserts rows that are not there yet"
    return ReleaseCommandFact(command.words, bool(reason), reason or what, tuple(dict.fromkeys(evidence)))


def _from_recipes(recipes: dict[str, Place], known: dict[str, OwnCommand]) -> Iterator[ReleaseCommandFact]:
    """Commands of recipes that no definition was found for, such as those of a library."""
    for words, place in recipes.items():
        if words not in known and not words.startswith("python ") and not _NEVER.search(words):
            yield ReleaseCommandFact(words, False, "run by the project's own recipe", (place,))


def _derived(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[ReleaseCommandFact]:
    """For tables that only the main guard makes, or a function that nobody calls: the same by a command."""
    if not app.ref or startup_effects(index, app).has(*_SCHEMA) or first_request_effects(index, app).has(*_SCHEMA):
        return
    found = _uncalled_maker(index, app)
    if found:
        code, function, effects = found
        reason = _reason(effects)
        command = _call_command(app, code, function)
        yield ReleaseCommandFact(
            command, bool(reason), reason or "nothing that a server runs makes the tables", (code.place(function),)
        )
        return
    sql = any(fact.library == "sqlalchemy" for fact in find_data(index, dependencies, app))
    database = _sqlalchemy_object(index, app) if sql else None
    if database and _has_models(index, app):
        code, name = database
        words = f"{_imports(app)}; from {_module(code.path, app)} import {name}; {_pushed(app)}; {name}.create_all()"
        yield ReleaseCommandFact(
            f'python -c "{words}"',
            False,
            "nothing that a server runs makes the tables",
            (code.place(_first(code, name)),),
        )


def _uncalled_maker(index: Index, app: AppFact) -> tuple[Code, Function, Effects] | None:
    """A function without parameters that makes the tables."""
    best: tuple[Code, Function, Effects] | None = None
    for code in production_codes(index, app):
        for definition in code.definitions:
            plain = not isinstance(definition, ast.ClassDef) and not definition.decorator_list
            if not plain or isinstance(definition, ast.ClassDef) or not _MAKER.search(definition.name):
                continue
            if _NEVER.search(definition.name) or code.owners(definition) or _needs(definition):
                continue
            if _lacks_names(code, definition):
                continue
            effects = effects_of(index, definition.body, code)
            if effects.has(*_SCHEMA) and not effects.has("prompt") and (best is None or not _reason(effects)):
                best = best if best and not _reason(best[2]) else (code, definition, effects)
    return best


def _lacks_names(code: Code, function: Function) -> bool:
    """Whether the function uses a name that its file does not have: left over from a move, it cannot run."""
    if any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in code.tree.body):
        return False
    names = [each for each in ast.walk(function) if isinstance(each, ast.Name)]
    stored = {
        each.id for each in ast.walk(code.tree) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
    }
    defined = {each.name for each in code.definitions} | {
        each.arg for each in ast.walk(function) if isinstance(each, ast.arg)
    }
    known = stored | defined | code.imports.keys() | set(dir(builtins)) | {"__file__", "__name__"}
    return any(each.id not in known for each in names)


def _needs(function: Function) -> bool:
    arguments = function.args
    return len(arguments.args) > len(arguments.defaults) or any(d is None for d in arguments.kw_defaults)


def _call_command(app: AppFact, code: Code, function: Function) -> str:
    module = _module(code.path, app)
    source = ast.unparse(function)
    pushes = "app_context" in source or not re.search(r"current_app|create_all|\bg\b|get_db", source)
    prefix = "" if pushes else f"{_imports(app)}; {_pushed(app)}; "
    return f'python -c "{prefix}from {module} import {function.name}; {function.name}()"'


def _imports(app: AppFact) -> str:
    module, _, rest = (app.ref or "").partition(":")
    return f"from {module} import {rest.split('(')[0]}"


def _pushed(app: AppFact) -> str:
    return f"{(app.ref or '').partition(':')[2]}.app_context().push()"


def _module(path: str, app: AppFact) -> str:
    inside = path
    for folder in (*app.import_paths, app.folder):
        if folder and inside.startswith(folder + "/"):
            inside = inside[len(folder) + 1 :]
            break
    return inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _sqlalchemy_object(index: Index, app: AppFact) -> tuple[Code, str] | None:
    for code in production_codes(index, app):
        for name, values in code.module_names.items():
            for value in values:
                if isinstance(value, ast.Call) and code.dotted(value.func).endswith("flask_sqlalchemy.SQLAlchemy"):
                    return code, name
    return None


def _first(code: Code, name: str) -> ast.expr:
    return code.module_names[name][0]


def _has_models(index: Index, app: AppFact) -> bool:
    classes = (d for code in production_codes(index, app) for d in code.definitions if isinstance(d, ast.ClassDef))
    return any(ast.unparse(base).endswith((".Model", "Base")) for each in classes for base in each.bases)


def prompting_commands(index: Index, app: AppFact) -> list[OwnCommand]:
    """Commands that would prepare data and ask at the terminal: for a person, not for a release."""
    return [c for c in own_commands(index, app) if c.asks and _is_wanted(c.name)]
