"""The app: which object or factory is served."""

import ast

from carboy.inspection.index import Index, Module
from carboy.model.facts import AppFact, Candidate, Place


def find_app(index: Index) -> AppFact:
    """The best candidate, with the others in order."""
    found = [candidate for module in index.modules() for candidate in _candidates(module)]
    found.sort(key=lambda each: (each.evidence[0].file.count("/"), each.evidence[0].file.startswith("tests")))
    if not found:
        return AppFact(None, None, "", "wsgi", False, None, None, "none", "no Flask app found", (), (), False, None, ())
    best = found[0]
    place = best.evidence[0]
    return AppFact(
        best.ref, None, best.folder, "wsgi", best.factory, place.file, place.line, best.certainty, best.reason,
        tuple(found), (), False, None, best.evidence,
    )  # fmt: skip


def _candidates(module: Module) -> list[Candidate]:
    name = module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found = []
    for node in module.tree.body if module.tree else ():
        place = Place(module.path, getattr(node, "lineno", None))
        if isinstance(node, ast.Assign) and _makes_flask(node.value) and isinstance(node.targets[0], ast.Name):
            ref = f"{name}:{node.targets[0].id}"
            found.append(Candidate(ref, "", "wsgi", False, "likely", "a Flask object", (place,)))
        if isinstance(node, ast.FunctionDef) and node.name in {"create_app", "make_app"}:
            ref = f"{name}:{node.name}()"
            found.append(Candidate(ref, "", "wsgi", True, "likely", "a factory", (place,)))
    return found


def _makes_flask(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"Flask", "flask.Flask"}
