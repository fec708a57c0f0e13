"""A set of versions that works: remedies tried one after the other, really installed and really imported.

What diagnoses a failure and what proves an import come in as callables, so that this knows only installing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from carboy.errors import Failed
from carboy.model.diagnosis import Diagnosis, Remedy
from carboy.model.plan import App
from carboy.release.environment import Environment, EnvironmentRequest, build_environment
from carboy.release.installing import InstallFailed
from carboy.release.requirement_files import requirement_name
from carboy.release.uv_program import OnStep
from carboy.remote.base import Connector

MOST_TRIES = 16
MOST_REMEDIES = 6  # on top of each other

Diagnose = Callable[[str, str], Diagnosis | None]  # (the failure's text, the Python's version)
Imports = Callable[[Environment], str]  # what the import said, "" when it went


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
    tried: set[tuple[object, ...]]
    first: Failed | None = None


def working_set(
    request: EnvironmentRequest,
    connector: Connector,
    *,
    diagnose: Diagnose,
    imports: Imports,
    on_step: OnStep = lambda _: None,
) -> WorkingSet:
    """The first set that installs and imports: the project's own, else with remedies, the likeliest first.

    Raises Failed, with everything that was tried, where none does.
    """
    search = _Search(connector, diagnose, imports, on_step, set())
    found = _search(search, _State(request))
    if found is not None:
        return found
    assert search.first is not None
    count = len(search.tried)
    tried = f"{count} set{'s' if count != 1 else ''} of versions tried"
    raise Failed(
        f"no set of versions was found that installs and imports: {search.first.what}",
        where=search.first.where,
        hint="set app.python, app.packages or app.exclude_newer in carboy.toml",
        details=(tried, *search.first.details),
    )


def _search(search: _Search, state: _State) -> WorkingSet | None:
    if len(search.tried) >= MOST_TRIES or _mark(state.request) in search.tried:
        return None
    search.tried.add(_mark(state.request))
    try:
        environment = build_environment(state.request, search.connector, search.on_step)
    except InstallFailed as fault:
        failure, version = fault.output, fault.python
        search.first = search.first or fault
    except Failed as fault:  # a Python that is not there: nothing to diagnose
        search.first = search.first or fault
        return None
    else:
        failure, version = search.imports(environment), environment.version
        if not failure:
            return WorkingSet(environment, state.request.app, state.changes)
        search.first = search.first or _not_imported(failure)
    return _remedied(search, state, search.diagnose(failure, version))


def _remedied(search: _Search, state: _State, diagnosis: Diagnosis | None) -> WorkingSet | None:
    if diagnosis is None or len(state.changes) >= MOST_REMEDIES:
        return None
    for remedy in diagnosis.remedies:
        if remedy.kind == "system":
            continue
        search.on_step(f"{diagnosis.reason}: trying to {remedy.words()}")
        sentence = f"{diagnosis.reason}: {remedy.words()}"
        changed = _State(_applied(state.request, remedy), (*state.changes, sentence))
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
        return replace(request, app=replace(app, python=remedy.python), exactly=True, wheels=remedy.wheels)
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
    what = re.sub(r"\s+", " ", lines[-1]) if lines else "the import failed"
    return Failed(f"the app does not import: {what}", where="app", details=tuple(lines[-20:]))
