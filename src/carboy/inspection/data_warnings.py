"""Warnings about data: where it lies, and how its tables come to be."""

import ast
import re
from collections.abc import Iterator

from carboy.inspection.code import project_of
from carboy.inspection.constants import ROOT
from carboy.inspection.data import addresses, find_data
from carboy.inspection.effects import effects_of
from carboy.inspection.gitignore import ignored_by
from carboy.inspection.index import Index
from carboy.inspection.migrations import flask_migrate, migration_folders, migrations_folder
from carboy.inspection.reach import production_codes
from carboy.inspection.release_commands import prompting_commands
from carboy.inspection.revisions import heads_of, lossy_steps, tables_never_made
from carboy.inspection.startup import first_request_effects, startup_effects
from carboy.inspection.uploads import find_uploads
from carboy.model.facts import AppFact, DependenciesFact, Place, Warn

_IN_MEMORY = re.compile(r"sqlite(\+\w+)?:(//)?(/?:memory:)?|:memory:")
_FOLDERS = {
    "uploads": ("uploads-in-release", "uploaded files lie inside the project: a new release would begin without them"),
    "logs": ("logs-in-release", "log files are written inside the project"),
    "index": ("index-in-release", "a search index lies inside the project: a new release would begin without it"),
}


def data_warnings(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[Warn]:
    """Everything about data, in a fixed order."""
    yield from _sqlite(index, dependencies, app)
    yield from _folders(index, dependencies, app)
    yield from _tables(index, app)
    yield from _migrations(index, app)
    yield from _dumps(index, app)
    for command in prompting_commands(index, app):
        message = f"`{command.words}` prepares data and asks at the terminal: run it by hand after the first release"
        yield Warn("prompts", message, (command.place,))


def _sqlite(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[Warn]:
    for fact in find_data(index, dependencies, app):
        if fact.engine in {"sqlite", "tinydb", "duckdb"} and fact.path:
            message = f"the database {fact.path} lies inside the project: a new release would begin without it"
            yield Warn("sqlite-in-release", message, fact.evidence)
    main = [address for address in addresses(index, app) if address.name == "main"]
    memory = [address for address in main if any(_IN_MEMORY.fullmatch(text) for text in address.value.texts[:1])]
    if memory and len(memory) == len(main):
        message = "the database lives in memory: each worker has its own, and a restart empties it"
        yield Warn("sqlite-in-memory", message, tuple(address.place for address in memory))


def _folders(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[Warn]:
    facts = find_uploads(index, dependencies, app)
    for kind, (code, message) in _FOLDERS.items():
        found = [fact for fact in facts if fact.kind == kind]
        if found:
            shown = ", ".join(fact.path for fact in found)
            yield Warn(code, f"{message} ({shown})", tuple(place for fact in found for place in fact.evidence))


def _tables(index: Index, app: AppFact) -> Iterator[Warn]:
    startup = startup_effects(index, app)
    for tag in ("drop", "truncate"):
        if startup.has(tag):
            code, line = startup.tags[tag]
            yield Warn("drops-at-import", "starting the app drops or empties tables", (Place(code.path, line),))
            break
    later = first_request_effects(index, app)
    moments = ((startup, "at every start: workers that start together race"), (later, "at the first request"))
    for effects, when in moments:
        made = next((tag for tag in ("create", "upgrade", "create-bare") if effects.has(tag)), None)
        if made:
            code, line = effects.tags[made]
            yield Warn("tables-at-import", f"the app makes its tables itself, {when}", (Place(code.path, line),))
            return
    yield from _tables_in_main(index, app)


def _tables_in_main(index: Index, app: AppFact) -> Iterator[Warn]:
    for code in production_codes(index, app):
        for guard in code.main_guards:
            effects = effects_of(index, guard.body, code)
            if effects.has("create"):
                where, line = effects.tags["create"]
                message = "tables are made under the main guard only, which no server runs"
                yield Warn("tables-in-main", message, (code.place(guard), Place(where.path, line)))
                return


def _migrations(index: Index, app: AppFact) -> Iterator[Warn]:
    used = flask_migrate(index, app)
    folder = migrations_folder(index, app, used)
    if used and (folder is None or not folder.revisions):
        line = ignored_by(index, f"{app.folder}/migrations/" if app.folder else "migrations/")
        if line:
            yield Warn("migrations-not-in-git", "the migrations are kept out of git: nobody else has them", (line,))
        else:
            places = (used.place, *((Place(f"{folder.path}/env.py"),) if folder else ()))
            message = "Flask-Migrate is set up, and there is no revision to apply: an upgrade makes no table"
            yield Warn("migrations-empty", message, places)
    folders = [each for each in migration_folders(index) if each.revisions]
    for each in folders:
        line = ignored_by(index, each.revisions[0])
        if line:
            yield Warn("migrations-not-in-git", f"the revisions in {each.path} are kept out of git", (line,))
    if used and len(folders) > 1:
        shown = ", ".join(each.path for each in folders)
        places = tuple(Place(f"{each.path}/env.py") for each in folders)
        yield Warn("migrations-several", f"more than one folder of migrations: {shown}", places)
    if folder and folder.revisions:
        yield from _revisions(index, app, folder.revisions)


def _revisions(index: Index, app: AppFact, revisions: tuple[str, ...]) -> Iterator[Warn]:
    heads = heads_of(index, revisions)
    if len(heads) > 1:
        message = "the migrations have several heads: an upgrade stops until they are merged"
        yield Warn("migrations-heads", message, tuple(Place(path) for path in heads))
    for path in heads:
        steps = lossy_steps(index, path)
        if steps:
            message = "the newest migration drops a table or a column: the old release cannot live with it"
            yield Warn("migration-data-loss", message, tuple(steps))
    missing = tables_never_made(index, app, revisions)
    if missing:
        shown = ", ".join(name for name, _ in missing[:5])
        message = f"models have tables that no migration makes: {shown}"
        yield Warn("migrations-stale", message, tuple(place for _, place in missing[:5]))


def _dumps(index: Index, app: AppFact) -> Iterator[Warn]:
    """SQL files with tables that no code reads: somebody is meant to load them by hand."""
    dumps = [path for path in index.files if path.lower().endswith(".sql")]
    if not dumps:
        return
    named = {
        node.value.rsplit("/", 1)[-1]
        for code in project_of(index).ours
        for call in code.calls
        for node in call.args
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ROOT not in node.value
    }
    base = f"{app.folder}/" if app.folder else ""
    for path in dumps:
        read = path.rsplit("/", 1)[-1] in named or "migration" in path
        if read or not path.startswith(base):
            continue
        text = index.text(path) or ""
        if path.count("/") < 4 and re.search(r"\bCREATE\s+TABLE\b", text, re.IGNORECASE):
            message = f"tables come from {path}, which is to be loaded once, before the first release"
            yield Warn("sql-dump", message, (Place(path),))
            return
