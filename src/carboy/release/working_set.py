"""A set of versions that works: remedies tried one after the other, really installed and really imported.

What diagnoses a failure and what proves an import come in as callables, so that this knows only installing.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from carboy.errors import CarboyError, Failed
from carboy.model.diagnosis import Diagnosis, Remedy
from carboy.model.plan import App
from carboy.release.environment import Environment, EnvironmentRequest, build_environment
from carboy.release.installing import InstallFailed
from carboy.release.patience import Patience
from carboy.release.requirement_files import requirement_name
from carboy.release.uv_program import OnStep
from carboy.remote.base import Connector

MOST_TRIES = 16
MOST_REMEDIES = 6  # on top of each other
MOST_SECONDS = 600.0
# Long to compile and, for a Python of their time, there as wheels: another Python is taken for its wheels.
COMPILED = (
    *("cryptography", "gevent", "grpcio", "h5py", "lxml", "matplotlib", "numpy", "opencv-python"),
    *("opencv-python-headless", "pandas", "pillow", "psycopg2-binary", "pyarrow", "scikit-learn", "scipy"),
)

Diagnose = Callable[[str, str], Diagnosis | None]  # (the failure's text, the Python's version)
Imports = Callable[[Environment], str]  # what the import said, "" when it went
Server = Callable[[App], tuple[str, ...]]  # what the server needs, for the Python that `[app]` names


@dataclass(frozen=True, slots=True)
class WorkingSet:
    """An environment that installs and imports. `app` is the plan's `[app]` that gives it, `changes` say how."""

    environment: Environment
    app: App
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """The request as far as it was changed, and the sentences for the changes."""

    request: EnvironmentRequest
    changes: tuple[str, ...] = ()


@dataclass
class _Search:
    connector: Connector
    diagnose: Diagnose
    imports: Imports
    on_step: OnStep
    server: Server | None
    left: Callable[[], float]
    tries: int = 0
    seen: set[tuple[object, ...]] = field(default_factory=set)
    first: Failed | None = None
    log: list[str] = field(default_factory=list)

    def over(self) -> bool:
        return self.tries >= MOST_TRIES or self.left() <= 0

    def standing(self) -> str:
        left = max(self.left(), 0.0)
        time_left = f"{left / 60:.0f} minutes" if left >= 90 else f"{left:.0f} seconds"
        return f"try {self.tries + 1} of {MOST_TRIES}, {time_left} left"


def working_set(
    request: EnvironmentRequest,
    connector: Connector,
    *,
    diagnose: Diagnose,
    imports: Imports,
    on_step: OnStep = lambda _: None,
    server: Server | None = None,
    failed: InstallFailed | None = None,
    seconds: float = MOST_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> WorkingSet:
    """The first set that installs and imports: the project's own, else with remedies, the likeliest first.

    `failed` is how the project's own set failed already, `server` gives the server's requirements for another Python.
    Raises Failed, with everything that was tried, where none is found in `seconds`.
    """
    end = clock() + seconds
    search = _Search(connector, diagnose, imports, on_step, server, lambda: end - clock())
    found = _search(search, _State(request), failed)
    if found is not None:
        return found
    raise _nothing_found(search, seconds)


def _nothing_found(search: _Search, seconds: float) -> Failed:
    first = search.first or Failed("there was no time to try any", where="app")
    tried = f"{search.tries} set{'s' if search.tries != 1 else ''} of versions tried"
    if search.left() <= 0:
        tried += f", until the {seconds / 60:.0f} minutes for it were over"
    return Failed(
        f"no set of versions was found that installs and imports: {first.what}",
        where=first.where,
        hint="set app.python, app.packages or app.exclude_newer in carboy.toml",
        details=(tried, *(f"  {line}" for line in search.log), *first.details),
    )


def _search(search: _Search, state: _State, failed: InstallFailed | None = None) -> WorkingSet | None:
    if search.over() or _mark(state.request) in search.seen:
        return None
    search.seen.add(_mark(state.request))
    try:
        if failed is not None:
            raise failed
        environment = _built(search, state)
    except InstallFailed as fault:
        failure, version = fault.output, fault.python
        search.first = search.first or fault
    except CarboyError as fault:  # a Python that is not there or not for this server: nothing to diagnose, no try
        search.first = search.first or (fault if isinstance(fault, Failed) else None)
        return None
    else:
        failure, version = search.imports(environment), environment.version
        if not failure:
            return WorkingSet(environment, state.request.app, state.changes)
        search.first = search.first or _not_imported(failure)
    search.tries += 1
    return _remedied(search, state, failure, version)


def _built(search: _Search, state: _State) -> Environment:
    request = state.request
    if search.server is not None:
        request = replace(request, server=search.server(request.app))
    return build_environment(request, Patience(search.connector, left=search.left), search.on_step)


def _remedied(search: _Search, state: _State, failure: str, version: str) -> WorkingSet | None:
    diagnosis = search.diagnose(failure, version)
    if diagnosis is None or not diagnosis.remedies:
        search.log.append(f"then stopped by: {diagnosis.reason if diagnosis else _last_line(failure)}")
        return None
    if len(state.changes) >= MOST_REMEDIES:
        return None
    for remedy in diagnosis.remedies:
        changed = _State(_applied(state.request, remedy), (*state.changes, f"{diagnosis.reason}: {remedy.words()}"))
        if remedy.kind == "system" or search.over() or _mark(changed.request) in search.seen:
            continue
        search.log.append(changed.changes[-1])
        search.on_step(f"{diagnosis.reason}: trying to {remedy.words()} ({search.standing()})")
        if found := _search(search, changed):
            return found
    return None


def _applied(request: EnvironmentRequest, remedy: Remedy) -> EnvironmentRequest:
    app = request.app
    if remedy.kind == "packages":
        before = {_key(line): line for line in app.packages}
        before.update({_key(line): _together(before.get(_key(line)), line) for line in remedy.packages})
        return replace(request, app=replace(app, packages=tuple(before.values())))
    if remedy.kind == "exclude-newer":
        app = replace(app, exclude_newer=remedy.exclude_newer)
    if remedy.python:
        wheels = tuple(sorted({*request.wheels, *remedy.wheels, *COMPILED}))
        return replace(request, app=replace(app, python=remedy.python), exactly=True, wheels=wheels)
    return replace(request, app=app)


def _together(before: str | None, line: str) -> str:
    """Both limits at once; a pin, or a name without a limit, takes the place of what was said before."""
    try:
        old, new = Requirement(before or line), Requirement(line)
    except InvalidRequirement:
        return line
    if before is None or old.marker or new.marker or not new.specifier or "==" in str(old.specifier):
        return line
    both = SpecifierSet(f"{old.specifier},{new.specifier}") if old.specifier else new.specifier
    extras = f"[{','.join(sorted(old.extras | new.extras))}]" if old.extras | new.extras else ""
    return f"{new.name}{extras}{','.join(sorted(map(str, both)))}"


def _key(line: str) -> str:
    return requirement_name(line) or line


def _mark(request: EnvironmentRequest) -> tuple[object, ...]:
    app = request.app
    return (app.python, frozenset(app.packages), app.exclude_newer)


def _not_imported(failure: str) -> Failed:
    lines = [line for line in failure.splitlines() if line.strip()]
    return Failed(f"the app does not import: {_last_line(failure)}", where="app", details=tuple(lines[-20:]))


def _last_line(failure: str) -> str:
    lines = [line for line in failure.splitlines() if line.strip()]
    return re.sub(r"\s+", " ", lines[-1]).strip() if lines else "it said nothing"
