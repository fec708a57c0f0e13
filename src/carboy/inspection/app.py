"""The app: which object, factory or command is served."""

import ast

from carboy.inspection.candidates import Found
from carboy.inspection.code import is_decoy
from carboy.inspection.index import Index
from carboy.inspection.interface import has_async_views, websocket_library
from carboy.inspection.own_command import OwnCommand, completed_by_main, find_own_command, prepared_by_main
from carboy.inspection.ranking import certainty_of, is_rival, rank
from carboy.inspection.symbols import Frame, symbols_of
from carboy.inspection.values import MAKERS
from carboy.model.facts import AppFact, Candidate, Certainty, Place

MOST_CANDIDATES = 50
_NAMED = (ast.Name, ast.Attribute)
FLASK_MAKERS = {name for name, (kind, _) in MAKERS.items() if kind == "flask"}


def find_app(index: Index) -> AppFact:
    """The best candidate with the others in order, or the project's own command, or none with what was looked for."""
    ranked = index.derived(rank)
    best = ranked[0] if ranked else None
    if best is not None and not best.hints and completed_by_main(index, best):
        own = find_own_command(index, best.app.identity)
        if own is not None:
            return _commanded(index, own, ranked)
    if best is None or (is_decoy(best.file) and not best.hints):
        own = find_own_command(index)
        if own is not None:
            return _commanded(index, own, ranked)
    return _served(index, best, ranked) if best is not None else _nothing(index)


def _served(index: Index, best: Found, ranked: list[Found]) -> AppFact:
    certainty = certainty_of(ranked)
    prepared = prepared_by_main(index, best) if not best.hints and not best.factory else None
    own = find_own_command(index, best.app.identity) if prepared else None
    certainty = "guess" if own else certainty
    return AppFact(
        ref=best.ref,
        command=None,
        folder=best.folder,
        interface=best.app.interface,
        factory=best.factory,
        file=best.file,
        line=best.line,
        certainty=certainty,
        reason=_unprepared(best, own, prepared) if own and prepared else _reason(best, ranked, certainty),
        candidates=_candidates(ranked, certainty),
        import_paths=best.paths,
        async_views=has_async_views(index, best.file),
        websocket=websocket_library(index),
        evidence=best.evidence,
    )


def _commanded(index: Index, own: OwnCommand, ranked: list[Found]) -> AppFact:
    candidates = _candidates(ranked, "guess")
    return AppFact(
        ref=None,
        command=own.command,
        folder=own.folder,
        interface="wsgi",
        factory=False,
        file=own.run.place.file,
        line=own.run.place.line,
        certainty="likely",
        reason=f"nothing to import is the whole app: {own.reason}",
        candidates=candidates,
        import_paths=(),
        async_views=has_async_views(index, own.run.place.file),
        websocket=websocket_library(index),
        evidence=own.evidence,
    )


def _nothing(index: Index) -> AppFact:
    count = len(index.python_files)
    files = f"{count} Python file{'' if count == 1 else 's'}"
    reason = (
        f"no Flask app in {files}: looked for Flask(...) and its subclasses, for functions that return one, for "
        "FLASK_APP, and for servers' commands in Procfile, Dockerfile, Compose, systemd units, scripts and README"
    )
    broken = [module for module in index.modules() if module.problem and "lask" in module.text]
    if broken:
        names = ", ".join(f"{module.path}:{module.problem_line or 1}" for module in broken[:3])
        reason = f"{names} speaks of Flask and cannot be read as Python; {reason}"
    places = tuple(Place(module.path, module.problem_line) for module in broken[:3])
    hidden = _out_of_reach(index)
    if hidden is not None and not broken:
        reason = (
            f"{hidden.file}:{hidden.line} makes an app inside a function or class, and no name or plain function of a "
            f"module gives it: add a module with `app = ...` that calls it, and name that as app.ref"
        )
        places = (hidden, *places)
    return AppFact(None, None, "", "wsgi", False, None, None, "none", reason, (), (), False, None, places)


def _out_of_reach(index: Index) -> Place | None:
    """Where an app is made that no reference leads to: by a method, a coroutine, or for a global set later."""
    symbols = symbols_of(index)
    for module in index.modules():
        for call in module.of(ast.Call) if "lask" in module.text and not is_decoy(module.path) else ():
            made = symbols.evaluate(call.func, Frame(module.path)) if isinstance(call.func, _NAMED) else None
            if symbols.class_maker(made) in FLASK_MAKERS:
                return Place(module.path, call.lineno)
    return None


def _candidates(ranked: list[Found], first: Certainty) -> tuple[Candidate, ...]:
    found: dict[tuple[str, str], Candidate] = {}
    for number, each in enumerate(ranked):
        certainty: Certainty = first if number == 0 else "guess"
        candidate = Candidate(
            each.ref, each.folder, each.app.interface, each.factory, certainty, _words(each), each.evidence
        )
        found.setdefault((each.ref, each.folder), candidate)
    return tuple(found.values())[:MOST_CANDIDATES]


def _words(each: Found) -> str:
    return "; ".join(each.reasons) or "is a Flask object"


def _unprepared(best: Found, own: OwnCommand, prepared: Place) -> str:
    return (
        f"{_words(best)}; but {prepared.file}:{prepared.line} sets it up only when its own command runs: "
        f"name app.command = {own.command!r}, or app.ref = {best.ref} if it is whole when it is imported"
    )


def _reason(best: Found, ranked: list[Found], certainty: Certainty) -> str:
    words = _words(best)
    if certainty != "guess":
        return words
    arguments = best.arguments
    if arguments is not None and arguments.text is None:
        return f"{words}; write app.ref = \"{best.module}:{best.name}('...')\" with the value for {arguments.missing!r}"
    rivals = [each.ref for each in ranked[1:] if is_rival(each, best)]
    names = " or ".join(dict.fromkeys([best.ref, *rivals][:4]))
    return f"{words}; not sure enough to serve it: name the app, app.ref = {names}"
