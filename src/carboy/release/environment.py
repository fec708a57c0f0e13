"""The app's own environment: made once for each set of requirements, beside its place, and renamed when it is whole."""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from carboy.errors import Failed
from carboy.model.plan import App
from carboy.release.dependency_sources import read_wanted
from carboy.release.installing import Install, install
from carboy.release.interpreters import Choice, Interpreter, choose_interpreter, find_interpreters
from carboy.release.pip_settings import index_variables
from carboy.release.requirement_files import Wanted
from carboy.release.uv_program import OnStep, Uv, reason
from carboy.remote.base import Connector

_RECORD = "carboy-environment.json"
_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class EnvironmentRequest:
    """What an environment is made from.

    `source` is the folder that holds the project's files, `envs` where environments are kept, `server` the server's
    requirements, `bundled` packages that are copied in as they are (the extension), `requires` the specifier that the
    project states for Python. `variables` is the environment that uv gets; index settings and credentials come
    through it. `exactly`: no other Python than `app.python` will do. `wheels` are packages not to be compiled.
    """

    source: Path
    envs: Path
    app: App
    server: tuple[str, ...] = ()
    bundled: tuple[Path, ...] = ()
    requires: str | None = None
    exactly: bool = False
    wheels: tuple[str, ...] = ()
    download_python: bool = False
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class Environment:
    """A finished environment: its folder, its programs' folder, its Python, and what there is to say about it."""

    path: Path
    bin: Path
    python: Path
    version: str
    key: str
    reused: bool
    seconds: float
    notes: tuple[str, ...] = ()


def build_environment(request: EnvironmentRequest, connector: Connector, on_step: OnStep | None = None) -> Environment:
    """The environment for `request`: the one that is there, told by its key without starting a process, or a new one.

    Raises InstallFailed (a Failed) with the package, the reason and uv's output, or Failed where no Python fits.
    """
    started = time.monotonic()
    choice = _choose(request, connector, on_step)
    wanted = read_wanted(request.source, request.app)
    key = environment_key(request, choice.interpreter, wanted)
    if found := _existing(request.envs / key, key, started):
        return found
    return _build(request, connector, on_step or _silent, choice, wanted, key, started)


def environment_key(request: EnvironmentRequest, interpreter: Interpreter, wanted: Wanted) -> str:
    """A name that is the same exactly when the same things would be installed for the same Python and machine."""
    app = request.app
    parts = {
        "schema": _SCHEMA,
        "python": [interpreter.version, interpreter.path],
        "system": [sys.platform, platform.machine()],
        "wanted": [wanted.texts, _relative(wanted, request.source), wanted.options, app.manager, app.source],
        "plan": [list(app.packages), app.exclude_newer],
        "server": list(request.server),
        "bundled": [_content(folder) for folder in request.bundled],
        "indexes": index_variables(request.variables),
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"py{interpreter.short}-{digest[:16]}"


def _relative(wanted: Wanted, source: Path) -> list[str]:
    # Releases are staged in different folders; the same requirements must give the same key.
    place = str(source.resolve())
    return [line.replace(place, "") for line in (*wanted.lines, *wanted.constraints)]


def _content(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _choose(request: EnvironmentRequest, connector: Connector, on_step: OnStep | None) -> Choice:
    def choose(*, exactly: bool) -> Choice:
        installed = find_interpreters(request.variables.get("PATH", ""), Path.home())
        return choose_interpreter(installed, request.app.python, request.requires, exactly=exactly)

    if not request.download_python:
        return choose(exactly=request.exactly)
    try:
        return choose(exactly=request.app.python is not None)
    except Failed:
        _download_python(request, connector, on_step or _silent)
    return choose(exactly=request.exactly)


def _download_python(request: EnvironmentRequest, connector: Connector, on_step: OnStep) -> None:
    version = request.app.python or (request.requires or "3.12")
    on_step(f"installing Python {version}")
    variables = {**request.variables, "UV_PYTHON_DOWNLOADS": "manual"}
    answer = Uv(connector, request.source, variables).run("python", "install", version)
    if not answer.ok:
        on_step(f"Python {version} cannot be installed: {reason(chr(10).join(answer.lines))}")


def _existing(path: Path, key: str, started: float) -> Environment | None:
    try:
        record = json.loads((path / _RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    python = _python_of(path)
    if record.get("schema") != _SCHEMA or record.get("key") != key or not python.exists():
        return None  # its base Python was removed: made anew
    notes = tuple(str(note) for note in record.get("notes", ()))
    seconds = time.monotonic() - started
    return Environment(path, python.parent, python, str(record["version"]), key, True, seconds, notes)


def _build(
    request: EnvironmentRequest,
    connector: Connector,
    on_step: OnStep,
    choice: Choice,
    wanted: Wanted,
    key: str,
    started: float,
) -> Environment:
    request.envs.mkdir(parents=True, exist_ok=True)
    _sweep(request.envs)
    beside = Path(tempfile.mkdtemp(prefix=f".{key}-{os.getpid()}-", dir=request.envs))
    try:
        notes = _fill(request, connector, on_step, choice, wanted, beside)
        record = {"schema": _SCHEMA, "key": key, "version": choice.interpreter.version, "notes": list(notes)}
        (beside / _RECORD).write_text(json.dumps(record, indent=1), "utf-8")
        _put(beside, request.envs / key)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    path = request.envs / key
    python = _python_of(path)
    seconds = time.monotonic() - started
    return Environment(path, python.parent, python, choice.interpreter.version, key, False, seconds, notes)


def _fill(
    request: EnvironmentRequest,
    connector: Connector,
    on_step: OnStep,
    choice: Choice,
    wanted: Wanted,
    beside: Path,
) -> tuple[str, ...]:
    uv = Uv(connector, request.source, request.variables)
    on_step(f"making an environment with Python {choice.interpreter.version}")
    # Its scripts find their Python beside themselves, so that the folder can be renamed.
    made = uv.run("venv", "--relocatable", "--allow-existing", "--python", choice.interpreter.path, str(beside))
    if not made.ok:
        raise Failed(
            f"Python {choice.interpreter.version} cannot make an environment: {reason(chr(10).join(made.lines))}",
            where="python",
            hint="set app.python to another installed version",
        )
    python, short = _python_of(beside), choice.interpreter.short
    job = Install(uv, request.source, beside, python, short, request.app, request.server, wanted, request.wheels)
    notes = install(job, on_step)
    for folder in request.bundled:
        shutil.copytree(folder, _site_packages(beside) / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tuple(note for note in (choice.note, *notes) if note)


def _sweep(envs: Path) -> None:
    """Remove what killed builds left half-made; a build that still runs is told by its process."""
    for folder in envs.glob(".py*"):
        match = re.match(r"^\.py[\d.]+-[0-9a-f]+-(\d+)-", folder.name)
        if match and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(folder, ignore_errors=True)


def prune_environments(envs: Path, keep: frozenset[str]) -> tuple[str, ...]:
    """Remove every whole environment whose key is not in `keep`; returns the keys that were removed."""
    unused = [folder for folder in sorted(envs.glob("py*")) if folder.name not in keep and (folder / _RECORD).exists()]
    for folder in unused:
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(folder.name for folder in unused)


def _put(beside: Path, final: Path) -> None:
    """Rename into place; an incomplete or broken one there makes room, a whole one made meanwhile wins."""
    if final.exists() and _existing(final, final.name, 0.0) is None:
        shutil.rmtree(final)
    try:
        beside.rename(final)
    except OSError:
        if _existing(final, final.name, 0.0) is None:
            raise


def _python_of(path: Path) -> Path:
    return path / "Scripts" / "python.exe" if sys.platform == "win32" else path / "bin" / "python"


def _site_packages(path: Path) -> Path:
    if sys.platform == "win32":
        return path / "Lib" / "site-packages"
    return next((path / "lib").glob("python*/site-packages"))


def _silent(_: str) -> None:
    return None
