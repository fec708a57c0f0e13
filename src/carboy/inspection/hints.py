"""What launch files say about the app, resolved to files of the project."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import constant_text, is_decoy
from carboy.inspection.command_lines import Words, split_commands
from carboy.inspection.index import Index
from carboy.inspection.launch_files import Line, home_of, lines_of
from carboy.inspection.launchers import SERVER_NAMES, Launch, expanded, read_launch
from carboy.inspection.roots import Roots, folder_of, join, normalise, roots_of
from carboy.model.facts import Interface, Place

_INTERESTING = re.compile(r"FLASK_APP|python|" + "|".join(sorted(re.escape(name) for name in SERVER_NAMES)))
_FLASK_APP = re.compile(
    r"""\s*(?:export\s|set\s|SET\s|\$env:)?\s*FLASK_APP\s*=\s*(["']?)((?<=")[^"]+|(?<=')[^']+|(?<!["'])[^\s#;&]+)\1"""
)
_CODE = re.compile(r"\.(py|wsgi)\Z")


@dataclass(frozen=True)
class Hint:
    """One statement about the app: the `file` it means, and the `attribute` and `call` inside it where named.

    `folder` and `path` are where it runs and what else is importable; both relative to the project.
    `file` is None where nothing in the project answers to `target`.
    """

    place: Place
    kind: str
    weight: int
    server: str
    target: str
    file: str | None
    module: str
    attribute: str | None
    call: str | None
    folder: str
    path: str | None
    interface: Interface | None
    worker: str | None
    launch: Launch


def find_hints(index: Index) -> tuple[Hint, ...]:
    """Every statement about the app in files that launch it, the weightiest first."""
    found = [
        *_from_lines(index),
        *_from_dotenv(index),
        *_from_uwsgi(index),
        *_from_gunicorn(index),
        *_from_apache(index),
    ]
    return tuple(sorted(found, key=lambda hint: (-hint.weight, hint.place.file, hint.place.line or 0)))


def hints_of(index: Index) -> tuple[Hint, ...]:
    """The shared hints of one index."""
    return index.derived(find_hints)


def _from_lines(index: Index) -> Iterator[Hint]:
    for line in lines_of(index):
        if not _INTERESTING.search(line.text) and not line.variables:
            continue
        weight = line.weight - (70 if is_decoy(line.file) and line.kind != "readme" else 0)
        exported = _FLASK_APP.match(line.text)
        if exported:
            yield from _flask_app(index, line, exported[2], weight)
        if exported and exported[0] == line.text:
            continue
        for words in split_commands(line.text):
            yield from _from_words(index, line, words, weight)


def _from_words(index: Index, line: Line, words: Words, weight: int) -> Iterator[Hint]:
    launch = read_launch(words) or _own_script(words, line)
    if launch is None:
        return
    target = launch.target
    if launch.server == "flask":
        target = target or words.variables.get("FLASK_APP") or ""
        if target:
            yield from _flask_app(index, line, target, weight, words.folder)
        return
    if not target and launch.config:
        return  # the configuration file is read for itself
    folder = launch.folder if launch.folder is not None else line.folder
    hint = _resolve(index, Place(line.file, line.number), line.kind, weight, launch, folder)
    if hint and (hint.file or line.kind not in {"readme", "workflow"}):
        yield hint


def _own_script(words: Words, line: Line) -> Launch | None:
    """`python run.py` or `python -m shop`: the project's own way to start, where something starts it that way."""
    if not re.fullmatch(r"python[\d.]*|pypy3?", words.program) or not words.arguments:
        return None
    if words.arguments[0] == "-m" and len(words.arguments) > 1:
        return Launch("python", words.arguments[1])
    script = next((each for each in words.arguments if not each.startswith("-")), "")
    return Launch("python", script) if script.endswith(".py") and line.kind != "workflow" else None


def _flask_app(index: Index, line: Line, target: str, weight: int, folder: str | None = None) -> Iterator[Hint]:
    launch = Launch("flask", expanded(target), folder)
    hint = _resolve(index, Place(line.file, line.number), line.kind, min(weight, 70), launch, folder or line.folder)
    if hint and hint.file:
        yield hint


def _from_dotenv(index: Index) -> Iterator[Hint]:
    for file in index.files:
        name = file.rsplit("/", 1)[-1]
        if name != ".flaskenv" and not name.startswith(".env") and not name.endswith(".env"):
            continue
        for number, text in enumerate(index.lines(file), start=1):
            match = _FLASK_APP.match(text)
            if match:
                weight = 70 if name in {".flaskenv", ".env"} else 60
                line = Line(file, number, text, "dotenv", weight - 10 * file.count("/"))
                yield from _flask_app(index, line, match[2], line.weight)


def _from_uwsgi(index: Index) -> Iterator[Hint]:
    for file in index.files:
        if not file.endswith((".ini", ".uwsgi")) or "[uwsgi]" not in (index.text(file) or ""):
            continue
        keys: dict[str, tuple[int, str]] = {}
        for number, text in enumerate(index.lines(file), start=1):
            name, equals, value = text.partition("=")
            if equals and not text.lstrip().startswith(("#", ";", "[")):
                keys[name.strip()] = (number, value.strip())
        named = next((key for key in ("module", "wsgi", "wsgi-file", "file", "mount") if key in keys), None)
        if named is None:
            continue
        number, target = keys[named]
        target = target.partition("=")[2] if named == "mount" else target
        called = keys.get("callable", (0, ""))[1]
        target = f"{target}:{called}" if called and ":" not in target else target
        folder = keys.get("chdir", (0, ""))[1] or None
        path = (keys.get("pythonpath") or keys.get("pp") or (0, None))[1]
        launch = Launch("uwsgi", target, folder, path)
        hint = _resolve(index, Place(file, number), "uwsgi", 95 - 10 * file.count("/"), launch, folder)
        yield from [hint] if hint else []


def _from_gunicorn(index: Index) -> Iterator[Hint]:
    for file in index.python_files:
        module = index.module(file) if "gunicorn" in file.rsplit("/", 1)[-1] else None
        keys: dict[str, tuple[int, str]] = {}
        for statement in module.tree.body if module and module.tree else ():
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                text = constant_text(statement.value)
                if text is not None:
                    keys[statement.targets[0].id] = (statement.lineno, text)
        if "wsgi_app" in keys:
            number, target = keys["wsgi_app"]
            folder, path = keys.get("chdir", (0, None))[1], keys.get("pythonpath", (0, None))[1]
            launch = Launch("gunicorn", target, folder, path, worker=keys.get("worker_class", (0, None))[1])
            hint = _resolve(index, Place(file, number), "gunicorn", 95, launch, folder)
            yield from [hint] if hint else []


_SCRIPT_ALIAS = re.compile(r"WSGIScriptAlias\s+\S+\s+[\"']?([^\s\"']+)")
_WSGI_IMPORT = re.compile(r"^\s*from\s+([\w.]+)\s+import\s+(\w+)(?:\s+as\s+application)?", re.MULTILINE)


def _from_apache(index: Index) -> Iterator[Hint]:
    """Apache's WSGIScriptAlias, and what a .wsgi script imports as `application`."""
    for file in index.files:
        if file.endswith((".conf", ".conf.j2", ".vhost")):
            for number, text in enumerate(index.lines(file), start=1):
                match = _SCRIPT_ALIAS.search(text)
                if match and match[1].endswith(".py"):
                    hint = _resolve(index, Place(file, number), "apache", 85, Launch("mod_wsgi", match[1]), None)
                    yield from [hint] if hint and hint.file else []
        elif file.endswith(".wsgi"):
            text = index.text(file) or ""
            for match in _WSGI_IMPORT.finditer(text):
                line = text[: match.start(1)].count("\n") + 1
                made = re.search(rf"^\s*\w+\s*=\s*{match[2]}(\([^()]*\))", text, re.MULTILINE)
                launch = Launch("mod_wsgi", f"{match[1]}:{match[2]}{made[1] if made else ''}")
                hint = _resolve(index, Place(file, line), "wsgi", 80, launch, None)
                yield from [hint] if hint and hint.file else []


# --------------------------------------------------------------- to the project's files


def _resolve(index: Index, place: Place, kind: str, weight: int, launch: Launch, folder: str | None) -> Hint | None:
    """The hint with the file its target means; None for a target that is no name at all."""
    where, attribute, call = split_target(launch.target)
    if not where or not re.fullmatch(r"[\w./\\ -]+", where):
        return None
    roots = roots_of(index)
    home = home_of(place.file)
    bases = _bases(roots, home, folder, launch.path)
    is_path = where.endswith(".py") or "/" in where
    found = _by_path(index, where, bases) if is_path else _by_name(roots, where, bases)
    file, base = found if found else (None, home)
    module = roots.module_name(file, base) if file else where
    path = None
    if file and launch.path:
        inner = _inside(index, home, launch.path)
        path, base = (inner, home) if inner is not None and inner == base else (None, base)
    return Hint(
        place,
        kind,
        weight,
        launch.server,
        launch.target,
        file,
        module,
        attribute or _default(launch, file),
        call,
        base,
        path,
        launch.interface,
        launch.worker,
        launch,
    )  # fmt: skip  (one field after the other)


def _default(launch: Launch, file: str | None) -> str | None:
    """The attribute that a server looks for where none is named; `flask` looks for several."""
    if launch.server in {"gunicorn", "uwsgi", "mod_wsgi"} and file is not None:
        return "application"
    return None


def split_target(target: str) -> tuple[str, str | None, str | None]:
    """`module:attribute(arguments)` in its parts."""
    match = re.fullmatch(r"(?P<where>[^:()]+?)(?::(?P<name>[A-Za-z_][\w.]*)(?P<call>\(.*\))?)?", target.strip())
    if not match:
        return "", None, None
    call = match["call"]
    return match["where"], match["name"], call[1:-1] if call is not None else None


def _bases(roots: Roots, home: str, folder: str | None, path: str | None) -> list[str]:
    """Folders in which a target is looked up: where it says it runs, then ever wider."""
    bases: list[str] = []
    for each in (path, folder):
        inner = _inside(roots.index, home, each) if each else None
        if inner is not None:
            bases.append(inner)
    bases += [home, "", *(["src"] if "src" in roots.index.folders else [])]
    others = sorted(roots.index.folders, key=lambda each: (is_decoy(f"{each}/x.py"), each.count("/"), each))
    return list(dict.fromkeys([*bases, *(each for each in others if not roots.index.has(f"{each}/__init__.py"))]))


def _inside(index: Index, home: str, folder: str) -> str | None:
    """A folder of the project for one that a launch file names; a path of the server by its last parts."""
    text = folder.strip().rstrip("/") or "/"
    if not text.startswith(("/", "$", "~", "%")):
        for base in (home, ""):
            path = normalise(join(base, text))
            if path is not None and path in index.folders:
                return path
        return None
    parts = [part for part in text.split("/") if part and "$" not in part and "%" not in part]
    for count in range(len(parts), 0, -1):
        path = "/".join(parts[-count:])
        if path in index.folders:
            return path
    return None


def _by_name(roots: Roots, name: str, bases: list[str]) -> tuple[str, str] | None:
    for base in bases:
        file = roots.file_at(base, name)
        if file:
            return file, base
    return None


def _by_path(index: Index, path: str, bases: list[str]) -> tuple[str, str] | None:
    """A file, or a package's folder, named by a path; a path of the server by its last parts."""
    text = path.replace("\\", "/").removeprefix("./")
    parts = [part for part in text.split("/") if part not in {"", "."}]
    tries = [text] if not text.startswith("/") else ["/".join(parts[-count:]) for count in range(len(parts), 0, -1)]
    for each in tries:
        for base in bases:
            inner = normalise(join(base, each))
            for file in (inner, f"{inner}.py", f"{inner}/__init__.py", f"{inner}/wsgi.py", f"{inner}/app.py"):
                if inner and file and index.has(file) and _CODE.search(file):
                    return file, roots_of(index).root_of(file)
    return None


def folder_for(hint: Hint) -> str:
    """The folder that a resolved hint runs in."""
    return hint.folder if hint.file else folder_of(hint.place.file)
