"""Warnings about the app itself: how it is found, started and served."""

import ast
from collections.abc import Callable, Iterator

from carboy.inspection.arguments import environment_default
from carboy.inspection.candidates import Found
from carboy.inspection.code import is_decoy, tier_of
from carboy.inspection.debug_settings import debug_places
from carboy.inspection.hazards import hazards_of
from carboy.inspection.hints import hints_of
from carboy.inspection.index import Index
from carboy.inspection.interface import async_views
from carboy.inspection.one_process import one_process_reasons
from carboy.inspection.python_version import disagreements
from carboy.inspection.ranking import CLEAR, expects_routes, is_rival, rank
from carboy.inspection.routes import blueprints, outer_nodes, routes_of
from carboy.inspection.symbols import Frame, symbols_of
from carboy.model.facts import AppFact, Evidence, Place, Warn

# A file of such a name beside the app is imported in place of the library.
_SHADOWED = {
    "flask",
    "gunicorn",
    "celery",
    "redis",
    "werkzeug",
    "jinja2",
    "sqlalchemy",
    "waitress",
    "uwsgi",
    "requests",
}
_SELECTORS = ("CONFIG", "ENV", "SETTINGS", "MODE", "STAGE", "PROFILE")


def find_app_warnings(index: Index, app: AppFact) -> tuple[Warn, ...]:
    """Everything reading can warn of about the app, in a fixed order; one warning for each code."""
    found: dict[str, Warn] = {}
    for finder in _FINDERS:
        for warn in finder(index, app):
            found.setdefault(warn.code, warn)
    return tuple(found.values())


def _best(index: Index, app: AppFact) -> Found | None:
    ranked = index.derived(rank)
    return ranked[0] if ranked and app.ref is not None else None


def _truncated(index: Index, _app: AppFact) -> Iterator[Warn]:
    if index.truncated:
        yield Warn("project-truncated", f"only the first {len(index.files)} files were read", ())


def _unparsed(index: Index, _app: AppFact) -> Iterator[Warn]:
    broken = [module for module in index.modules() if module.problem and not is_decoy(module.path)]
    if broken:
        names = ", ".join(f"{module.path} ({module.problem})" for module in broken[:3])
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        places = tuple(Place(module.path, module.problem_line) for module in broken[:20])
        yield Warn("syntax-error", f"cannot be read as Python: {names}{more}", places)


def _several(index: Index, app: AppFact) -> Iterator[Warn]:
    best = _best(index, app)
    if best is None:
        return
    ranked = index.derived(rank)
    rivals = [each for each in ranked if is_rival(each, best) and each.score > best.score - CLEAR]
    if rivals:
        names = ", ".join(dict.fromkeys([best.ref, *(each.ref for each in rivals)][:5]))
        places = [Place(each.file, each.line) for each in [best, *rivals]]
        yield Warn("several-candidates", f"more than one object could be the app: {names}", tuple(places))


def _stale_launchers(index: Index, _app: AppFact) -> Iterator[Warn]:
    stale = [
        hint
        for hint in hints_of(index)
        if hint.file is None and hint.weight >= 70 and hint.server not in {"python", "flask"} and "$" not in hint.target
    ]
    if stale:
        names = ", ".join(dict.fromkeys(hint.target for hint in stale))
        message = f"a launch file names what is not in the project: {names}"
        yield Warn("launcher-names-nothing", message, tuple(hint.place for hint in stale))


def _factory_default(index: Index, app: AppFact) -> Iterator[Warn]:
    best = _best(index, app)
    if best is None:
        return
    place = best.arguments.development if best.arguments else None
    if place is not None:
        yield Warn("factory-default-is-development", "the factory makes a development app unless told", (place,))
        return
    found = _selector_default(index, best)
    if found:
        name, default, place = found
        message = f"without {name} the app takes {default!r}: set it for production"
        yield Warn("factory-default-is-development", message, (place,))


def _selector_default(index: Index, best: Found) -> tuple[str, str, Place] | None:
    """A variable that chooses the configuration, with a default for development."""
    symbols = symbols_of(index)
    bodies: list[tuple[str, list[ast.AST]]] = []
    for file in dict.fromkeys([best.file, best.app.file, best.app.factory.file if best.app.factory else best.file]):
        module = index.module(file)
        bodies.append((file, list(outer_nodes(module.tree.body)) if module and module.tree else []))
    if best.app.factory is not None:
        bodies.append((best.app.factory.file, list(ast.walk(best.app.factory.node))))
    for file, nodes in bodies:
        for node in nodes:
            if not isinstance(node, ast.Call | ast.BoolOp):
                continue
            found = environment_default(node, symbols, Frame(file))
            if found and found[0].upper().endswith(_SELECTORS) and tier_of(found[1]) == "development":
                return found[0], found[1], Place(file, node.lineno)
    return None


def _no_routes(index: Index, app: AppFact) -> Iterator[Warn]:
    best = _best(index, app)
    if best is None or best.routes or not expects_routes(best):
        return
    unregistered = blueprints(index)
    if unregistered:
        message = f"{best.ref} has no routes: the project's blueprints are never registered with it"
        yield Warn("app-without-routes", message, (Place(best.file, best.line), *unregistered[:5]))


def _at_import(index: Index, app: AppFact) -> Iterator[Warn]:
    if app.file is None or app.command is not None:
        return
    words = {
        "app-run-at-import": "importing the app starts a server",
        "parses-argv-at-import": "importing the app reads the command line, which is then the server's",
        "asks-at-import": "importing the app asks a question on the terminal",
    }
    for hazard in hazards_of(index, app.file):
        yield Warn(hazard.code, words[hazard.code], (hazard.place,))


def _debug(index: Index, app: AppFact) -> Iterator[Warn]:
    if app.file is not None:
        places = debug_places(index, app)
        if places:
            yield Warn("debug-on", "debug is on by default: anyone who meets an error may run code", tuple(places))


def _quart(index: Index, app: AppFact) -> Iterator[Warn]:
    best = _best(index, app)
    if best is not None and best.app.kind == "quart":
        message = "this is a Quart app: Quart is not Flask, and needs an ASGI server"
        yield Warn("quart-is-not-flask", message, (Place(best.app.file, best.app.line),))


def _async(index: Index, app: AppFact) -> Iterator[Warn]:
    if app.file is not None and app.async_views:
        places = tuple(async_views(index, app.file)[:5])
        yield Warn("async-views", "views are coroutines: green workers (gevent, eventlet) cannot serve them", places)


def _green(index: Index, app: AppFact) -> Iterator[Warn]:
    if app.file is None:
        return
    for path in sorted(routes_of(index).reach(app.file)):
        module = index.module(path)
        if module and "monkey" in module.text and not is_decoy(path):
            for node in module.of(ast.Call):
                if isinstance(node.func, ast.Attribute | ast.Name) and "monkey" in ast.unparse(node.func):
                    library = "eventlet" if "eventlet" in module.text else "gevent"
                    message = f"the app patches the standard library for {library}: it needs that worker"
                    yield Warn("green-worker-needed", message, (Place(path, node.lineno),))
                    return


def _one_process(index: Index, app: AppFact) -> Iterator[Warn]:
    if app.file is None:
        return
    reasons = one_process_reasons(index, app)
    if reasons:
        words = "; ".join(words for words, _ in reasons)
        yield Warn("one-process-only", f"exactly one worker process is right: {words}", tuple(p for _, p in reasons))


def _pythons(index: Index, app: AppFact) -> Iterator[Warn]:
    places: Evidence = disagreements(index, app.folder)
    if places:
        first = places[0].file
        others = ", ".join(dict.fromkeys(place.file for place in places[1:]))
        yield Warn("python-versions-disagree", f"{first} is followed, {others} say otherwise", places)


def _shadows(index: Index, app: AppFact) -> Iterator[Warn]:
    home = f"{app.folder}/" if app.folder else ""
    names = [f"{home}{name}{end}" for name in sorted(_SHADOWED) for end in (".py", "/__init__.py")]
    found = [name for name in names if index.has(name)]
    if found:
        message = f"{', '.join(found)}: imported in place of the library of that name"
        yield Warn("shadows-library", message, tuple(Place(name, 1) for name in found))


def _own_command(_index: Index, app: AppFact) -> Iterator[Warn]:
    if app.command is not None:
        yield Warn("own-command-only", "the app is whole only when its own command starts it", app.evidence[:1])


_FINDERS: tuple[Callable[[Index, AppFact], Iterator[Warn]], ...] = (
    _truncated,
    _unparsed,
    _several,
    _own_command,
    _stale_launchers,
    _factory_default,
    _no_routes,
    _at_import,
    _debug,
    _quart,
    _async,
    _green,
    _one_process,
    _pythons,
    _shadows,
)
