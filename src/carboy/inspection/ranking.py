"""Which candidate is the app, why, and how sure that is."""

from dataclasses import replace

from carboy.inspection.arguments import Arguments
from carboy.inspection.candidates import Found, candidates_of
from carboy.inspection.code import constant_text, is_decoy, tier_of
from carboy.inspection.hazards import hazards_of
from carboy.inspection.hints import Hint, hints_of
from carboy.inspection.index import Index
from carboy.inspection.routes import blueprints
from carboy.inspection.runs import runs_of
from carboy.model.facts import Certainty

CLEAR = 40  # a lead that leaves no doubt
LIKELY = 15
_OWN_PLACES = {"app.py", "wsgi.py"}
_WSGI_NAMES = {"wsgi", "passenger_wsgi", "flask_app"}
_FAULT_WORDS = {
    "app-run-at-import": "starts a server when it is imported",
    "parses-argv-at-import": "reads the command line when it is imported",
    "asks-at-import": "asks on the terminal when it is imported",
}


def rank(index: Index) -> list[Found]:
    """All candidates, the best first, each with its score and reasons."""
    found = [replace(each, hints=[], reasons=[], faults=[], score=0) for each in candidates_of(index)]
    has_routes = any(each.routes for each in found) or bool(blueprints(index))
    for each in found:
        _by_hints(index, each, found)
        _by_place(each)
        _by_making(index, each, found)
        _by_routes(each, has_routes)
        _by_hazards(index, each)
    return sorted(found, key=lambda each: (-each.score, each.file.count("/"), each.file, each.line))


def certainty_of(ranked: list[Found]) -> Certainty:
    """How sure the first of a ranked list is."""
    best = ranked[0]
    if is_decoy(best.file) or best.faults:
        return "guess"
    if best.arguments and best.arguments.text is None:
        return "guess"
    rivals = [each for each in ranked[1:] if is_rival(each, best)]
    gap = best.score - max((each.score for each in rivals), default=best.score - 100)
    if gap < LIKELY:
        return "guess"
    unsure = gap < CLEAR or best.how == "named" or (best.arguments is not None and not best.arguments.sure)
    return "likely" if unsure or not (best.routes or best.hints) else "certain"


def is_rival(each: Found, best: Found) -> bool:
    """Whether a candidate is another app, and no mere example: the same object by another name is none."""
    return each.app.identity != best.app.identity and not is_decoy(each.file)


def _by_hints(index: Index, each: Found, found: list[Found]) -> None:
    matching = [hint for hint in hints_of(index) if _says(index, hint, each, found)]
    each.hints = matching[:6]
    if not matching:
        return
    best = matching[0]
    each.score += best.weight + min(len(matching) - 1, 3) * 3
    each.reasons.append(f"{_place(best)} starts it with {best.server}")
    if each.factory and best.call:
        each.arguments = Arguments(best.call, True, "what that says", "", (best.place,))
    if best.server not in {"flask", "python"} and best.file == each.file:
        each.module, each.folder = best.module, best.folder
        each.paths = tuple(path for path in (best.path,) if path is not None) or _paths(each)


def _paths(each: Found) -> tuple[str, ...]:
    return tuple(path for path in each.paths if path != each.folder)


def _place(hint: Hint) -> str:
    return f"{hint.place.file}:{hint.place.line}" if hint.place.line else hint.place.file


def _says(index: Index, hint: Hint, each: Found, found: list[Found]) -> bool:
    if hint.file is None or hint.file != each.file:
        return False
    if hint.server == "python":
        return any(
            run.place.file == each.file and run.app and run.app.identity == each.app.identity for run in runs_of(index)
        )
    if hint.attribute is None:
        return each is _flask_choice([other for other in found if other.file == each.file])
    return hint.attribute == each.name and (
        hint.call is not None or hint.launch.factory or not each.factory or _flask_calls(hint)
    )


def _flask_calls(hint: Hint) -> bool:
    return hint.server == "flask"


def _flask_choice(found: list[Found]) -> Found | None:
    """What `flask` takes from a module where no attribute is named."""
    for name in ("app", "application"):
        named = [each for each in found if each.name == name and not each.factory]
        if named:
            return named[0]
    objects = [each for each in found if not each.factory]
    if len(objects) == 1:
        return objects[0]
    factories = [each for each in found if each.factory and each.name in {"create_app", "make_app"}]
    return next(iter([*factories, *objects, *found]), None)


def _by_place(each: Found) -> None:
    file = each.file.rsplit("/", 1)[-1]
    stem = file.removesuffix(".py")
    each.score -= 4 * each.file.count("/")
    if is_decoy(each.file):
        each.score -= 100
        each.reasons.append("lies among tests, examples or documentation")
    if stem in _WSGI_NAMES:
        each.score += 22
        each.reasons.append("is where a WSGI server looks")
    elif each.file in _OWN_PLACES or (each.factory and each.name in {"create_app", "make_app"}):
        each.score += 10
        each.reasons.append("is where Flask itself looks")
    if each.name in {"app", "application"}:
        each.score += 4
    if each.name.startswith("_"):
        each.score -= 12
    if _is_script(each.file):
        each.score -= 12


def _is_script(file: str) -> bool:
    return (
        file.split("/", 1)[0] in {"scripts", "tools", "bin", "utils", "notebooks", "migrations", "contrib"}
        and "/" in file
    )


def _by_making(index: Index, each: Found, found: list[Found]) -> None:
    if each.how == "made":
        each.reasons.append("is a Flask object" if each.app.kind == "flask" else f"is made by {each.app.library}")
    elif each.how == "called":
        each.score += 8
        each.reasons.append("is what the project's factory gave")
        _by_called_argument(each, found)
    elif each.how == "imported":
        each.score -= 6
        each.reasons.append(f"is the object made in {each.app.file}")
    elif each.factory:
        _by_arguments(each)
    if any(
        run.app and run.app.identity == each.app.identity and run.place.file == each.file and run.where == "main"
        for run in runs_of(index)
    ):
        each.score += 8
    if each.app.interface == "asgi" and each.app.kind == "flask":
        each.score -= 12
        each.reasons.append("wraps a WSGI app for ASGI servers")
    elif each.app.inner is not None:
        each.score += 12
        each.reasons.append("wraps the Flask object")


def _by_called_argument(each: Found, found: list[Found]) -> None:
    """An object made with a literal for development gives way to the factory with production's."""
    call = each.app.call
    texts = [
        text
        for part in [*(call.args if call else ()), *(k.value for k in (call.keywords if call else ()))]
        if (text := constant_text(part))
    ]
    tiers = {tier_of(text) for text in texts}
    better = any(
        other.factory
        and other.app.identity == each.app.identity
        and other.arguments
        and other.arguments.sure
        and other.arguments.text
        and tier_of(other.arguments.text) == "production"
        for other in found
    )  # fmt: skip  (reads better as one condition)
    if "testing" in tiers or ("development" in tiers and better):
        each.score -= 45
        each.reasons.append(f"is made with {texts[0]!r}")


def _by_arguments(each: Found) -> None:
    arguments = each.arguments
    if arguments is None or arguments.text is None:
        each.score -= 45
        each.reasons.append(f"is a factory that {arguments.reason if arguments else 'needs a value'}")
        return
    each.reasons.append("is a factory" + (f", given {arguments.reason}" if arguments.text else ""))
    if not arguments.sure:
        each.score -= 5


def _by_routes(each: Found, expected: bool) -> None:
    if each.routes:
        each.score += 20 + min(each.routes, 10)
        each.reasons.append(
            f"has {each.routes} route{'s' if each.routes > 1 else ''} or blueprint{'s' if each.routes > 1 else ''}"
        )
    elif expected and expects_routes(each):
        each.score -= 40
        each.reasons.append("has no routes that reading could see")


def expects_routes(each: Found) -> bool:
    """Not so for Dash's callbacks, Connexion's specification, and what only a launch file calls an app."""
    own = each.app.library.startswith(("dash", "connexion", "eve", "jupyter_dash"))
    return each.app.kind in {"flask", "quart"} and each.how != "named" and not own


def _by_hazards(index: Index, each: Found) -> None:
    for code in dict.fromkeys(hazard.code for hazard in hazards_of(index, each.file)):
        if code in _FAULT_WORDS:
            each.score -= 70 if code == "app-run-at-import" else 30
            each.faults.append(code)
            each.reasons.append(_FAULT_WORDS[code])
