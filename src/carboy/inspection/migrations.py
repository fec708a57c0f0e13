"""The tool that migrates the schema, and how to run it."""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import Answer, Code, argument, constant_text, is_decoy, keyword, project_of
from carboy.inspection.constants import evaluator_of
from carboy.inspection.documents import ini_of
from carboy.inspection.flask_app import joined, project_path
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.model.facts import AppFact, DependenciesFact, MigrationsFact, Place


@dataclass(frozen=True)
class MigrationFolder:
    """A folder of revisions: Alembic's by its env.py. `revisions` are the files in its versions."""

    path: str
    revisions: tuple[str, ...]


@dataclass(frozen=True)
class FlaskMigrate:
    """Where the code sets Flask-Migrate up, and the folder it names (relative to the working folder)."""

    directory: str | None
    place: Place


def find_migrations(index: Index, dependencies: DependenciesFact, app: AppFact) -> MigrationsFact | None:
    """The migration tool, or None where there is none or it has nothing to run."""
    used = flask_migrate(index, app)
    declared = {requirement.name for requirement in dependencies.requirements}
    folder = migrations_folder(index, app, used)
    if used and folder and folder.revisions:
        return _flask_migrate_fact(index, app, used, folder)
    return _alembic(index, app, used) or _others(index, app, declared)


def _flask_migrate_fact(index: Index, app: AppFact, used: FlaskMigrate, folder: MigrationFolder) -> MigrationsFact:
    command = _script_command(index, app) or "flask db upgrade"
    usual = joined(app.folder, used.directory or "migrations")
    if folder.path != usual and command.startswith("flask"):
        command += f" -d {posixpath.relpath(folder.path, app.folder or '.')}"
    return MigrationsFact("flask-migrate", command, (used.place, Place(f"{folder.path}/env.py")))


def _script_command(index: Index, app: AppFact) -> str | None:
    """Flask-Script's `manage.py db upgrade`, where the project has it and Flask's own command cannot be meant."""
    for code in project_of(index).ours:
        if code.path.rpartition("/")[0] != app.folder:
            continue
        for call in code.calls_of("add_command"):
            named = isinstance(call.func, ast.Attribute)
            if named and len(call.args) > 1 and "MigrateCommand" in ast.unparse(call.args[1]):
                name = constant_text(call.args[0])
                return f"python {posixpath.basename(code.path)} {name} upgrade" if name else None
    return None


def flask_migrate(index: Index, app: AppFact) -> FlaskMigrate | None:
    """The place where Flask-Migrate is set up."""
    return index.derived(Answer(_set_up, (app,)))


def _set_up(index: Index, app: AppFact) -> FlaskMigrate | None:
    codes = production_codes(index, app)
    first: FlaskMigrate | None = None
    for code in dict.fromkeys([*codes, *project_of(index).ours]):
        for call in code.calls_of("Migrate", "init_app"):
            if not _is_migrate(call, code):
                continue
            node = keyword(call, "directory") or (argument(call, 2) if len(call.args) > 2 else None)
            if node is not None:
                return FlaskMigrate(_directory(index, node, code, app), code.place(call))
            first = first or FlaskMigrate(None, code.place(call))
    return first


def _is_migrate(call: ast.Call, code: Code) -> bool:
    dotted = code.dotted(call.func)
    if dotted in {"flask_migrate.Migrate", "flask.ext.migrate.Migrate"}:
        return True
    head, _, last = dotted.rpartition(".")
    return last == "init_app" and head.rsplit(".", 1)[-1] in {"migrate", "migration", "flask_migrate"}


def _directory(index: Index, node: ast.expr, code: Code, app: AppFact) -> str | None:
    texts = evaluator_of(index).value(node, code).texts
    path = project_path(texts[0], app.folder, "", app.folder) if texts else None
    return posixpath.relpath(path, app.folder or ".") if path else None


def migration_folders(index: Index) -> list[MigrationFolder]:
    """Every folder with Alembic's env.py or with revisions, shallow ones first."""
    found = {}
    for path in index.named("env.py", "script.py.mako", "alembic.ini"):
        folder = path.rpartition("/")[0]
        if folder and not is_decoy(path) and (_is_alembic(index, folder)):
            found[folder] = MigrationFolder(folder, revisions_in(index, folder))
    return sorted(found.values(), key=lambda each: (each.path.count("/"), each.path))


def _is_alembic(index: Index, folder: str) -> bool:
    text = index.text(f"{folder}/env.py")
    return index.has(f"{folder}/script.py.mako") or (text is not None and "context." in text and "alembic" in text)


def revisions_in(index: Index, folder: str) -> tuple[str, ...]:
    """Revision files below a folder: those that say which revision they are."""
    prefix = f"{folder}/" if folder else ""
    files = [path for path in index.python_files if path.startswith(prefix) and not path.endswith("env.py")]
    return tuple(path for path in files if re.search(r"(?m)^(down_)?revision(: [^=\n]+)?\s*=", index.text(path) or ""))


def migrations_folder(index: Index, app: AppFact, used: FlaskMigrate | None) -> MigrationFolder | None:
    """The folder that Flask-Migrate would use; a folder elsewhere when the usual one has nothing."""
    if used is None:
        return None
    folders = {folder.path: folder for folder in migration_folders(index)}
    usual = folders.get(joined(app.folder, used.directory or "migrations"))
    if used.directory is not None or (usual and usual.revisions):
        return usual
    base = f"{app.folder}/" if app.folder else ""
    others = [each for path, each in folders.items() if each.revisions and path.startswith(base)]
    return next((each for each in others if "alembic" not in each.path), None) or usual


def _alembic(index: Index, app: AppFact, used: FlaskMigrate | None) -> MigrationsFact | None:
    """Plain Alembic: an alembic.ini whose script folder has revisions."""
    for path in index.named("alembic.ini"):
        folder, script = path.rpartition("/")[0], _script_location(index, path)
        if is_decoy(path) or (used and script is None):
            continue
        target = posixpath.normpath(joined(folder, script)) if script else ""
        if script and revisions_in(index, target):
            option = "" if folder == app.folder else f" -c {posixpath.relpath(path, app.folder or '.')}"
            return MigrationsFact("alembic", f"alembic{option} upgrade head", (Place(path), Place(f"{target}/env.py")))
    return None


def _script_location(index: Index, path: str) -> str | None:
    location = ini_of(index, path).get("alembic", "script_location", fallback=None)
    if not location:
        return None
    location = location.replace("%(here)s/", "").replace("%(here)s", ".")
    return location.replace(":", "/").replace(".", "/") if ":" in location else location


def _others(index: Index, app: AppFact, declared: set[str]) -> MigrationsFact | None:
    """yoyo, Peewee's own tool and peewee-migrate, by their settings or a folder of numbered files."""
    yoyo = next((path for path in index.named("yoyo.ini") if not is_decoy(path)), None)
    if yoyo:
        return MigrationsFact("yoyo", "yoyo apply --batch", (Place(yoyo),))
    numbered = list(_numbered(index, app))
    settings = joined(app.folder, ".pwmigrate")
    if numbered and index.has(settings):
        return MigrationsFact("peewee", "pwmigrate up", (Place(settings), Place(numbered[0])))
    if numbered and "yoyo-migrations" in declared:
        return MigrationsFact("yoyo", f"yoyo apply --batch {_folder(numbered[0], app)}", (Place(numbered[0]),))
    if numbered and declared & {"peewee-migrate", "peewee-migrate2", "peewee-db-evolve", "peewee-moves"}:
        option = f" --directory {_folder(numbered[0], app)}" if _folder(numbered[0], app) != "migrations" else ""
        return MigrationsFact("peewee", f"pw_migrate migrate{option}", (Place(numbered[0]),))
    return None


def _folder(path: str, app: AppFact) -> str:
    return posixpath.relpath(posixpath.dirname(path), app.folder or ".")


def _numbered(index: Index, app: AppFact) -> Iterator[str]:
    base = f"{app.folder}/" if app.folder else ""
    pattern = re.compile(r"(^|/)\w*migrat\w*/\d{2,}[\w.-]*\.(py|sql)$")
    for path in index.files:
        if path.startswith(base) and pattern.search(path) and not is_decoy(path):
            yield path
