"""Which routes an app has once it was imported: what is attached at import, and what its factory attaches."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from carboy.inspection.code import Function, is_decoy, is_main_guard
from carboy.inspection.index import Index, Module, branches_of, branching
from carboy.inspection.symbols import Frame, Symbols, symbols_of
from carboy.inspection.values import ROUTE_BRINGERS, ROUTE_METHODS, App, External, Project, Value
from carboy.model.facts import Place

Identity = tuple[str, int]
Seen = set[tuple[str, int, tuple[tuple[str, Identity], ...]]]  # functions looked into, with the apps they were given
ANY: Identity = ("", 0)  # flask.current_app: whichever app is being made
DEEPEST = 6


@dataclass(frozen=True)
class Attached:
    """One call that gives an app routes; `library` where an extension brings them."""

    identity: Identity
    place: Place
    library: str = ""


class Routes:
    """The attachments of one project, worked out file by file as they are asked for."""

    def __init__(self, index: Index) -> None:
        self.symbols: Symbols = symbols_of(index)
        self.index = index
        self.at_import = cache(self._at_import)
        self.reach = cache(self._reach)

    def _reach(self, file: str) -> frozenset[str]:
        """The files that are imported with this one, at once or by its functions."""
        reached, pending = {file}, [file]
        while pending:
            for target in self.symbols.roots.imported_files(pending.pop()):
                if target not in reached:
                    reached.add(target)
                    pending.append(target)
        return frozenset(reached)

    def _at_import(self, file: str) -> tuple[Attached, ...]:
        module = self.index.module(file)
        if module is None or module.tree is None:
            return ()
        return tuple(self._visit(outer_calls(module), Frame(file), set(), 0))

    def of_object(self, file: str, app: App) -> list[Attached]:
        """The routes of an object once `file` was imported."""
        found = [each for path in sorted(self.reach(file)) for each in self.at_import(path)]
        kept = [each for each in [*found, *self._in_class(app)] if each.identity in {app.identity, ANY}]
        return kept + (self.of_factory(app.factory, app) if app.factory else [])

    def of_factory(self, factory: Project, app: App, given: Mapping[str, Value] | None = None) -> list[Attached]:
        """The routes of what a factory returns, those of the modules that it imports included."""
        found = list(self._in_function(factory, given or {}, set(), 0))
        found += [each for path in sorted(self.reach(factory.file)) for each in self.at_import(path)]
        found += self._in_class(app)
        return [each for each in found if each.identity in {app.identity, ANY}]

    def of_function(self, found: Project, app: App, given: Mapping[str, Value]) -> list[Attached]:
        """What calling a function attaches to an app, without what its module attaches at import."""
        attached = self._in_function(found, given, set(), 0)
        return [each for each in attached if each.identity in {app.identity, ANY}]

    def attaches(self, nodes: Iterable[ast.AST], frame: Frame, app: App) -> bool:
        """Whether these nodes, run in this frame, give the app routes."""
        return any(each.identity in {app.identity, ANY} for each in self._visit(nodes, frame, set(), 0))

    def _in_class(self, app: App) -> list[Attached]:
        """A subclass of Flask that attaches its own routes does so on `self`."""
        frame = Frame(app.file)
        made = self.symbols.evaluate(app.call.func, frame) if app.call and app.factory is None else None
        if not isinstance(made, Project) or not isinstance(made.node, ast.ClassDef):
            return []
        return [
            Attached(app.identity, Place(made.file, node.lineno))
            for node in branching(made.node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ROUTE_METHODS
        ]

    def _in_function(self, found: Project, given: Mapping[str, Value], seen: Seen, depth: int) -> Iterator[Attached]:
        apps = tuple((name, value.identity) for name, value in given.items() if isinstance(value, App))
        key = (found.file, found.node.lineno, apps)
        if key in seen or depth > DEEPEST or isinstance(found.node, ast.ClassDef):
            return
        seen.add(key)
        frame = self.symbols.frame_of(found, given)
        yield from self._visit(branching(found.node), frame, seen, depth + 1)

    def _visit(self, nodes: Iterable[ast.AST], frame: Frame, seen: Seen, depth: int) -> Iterator[Attached]:
        for node in nodes:
            if isinstance(node, ast.Call):
                yield from self._call(node, frame, seen, depth)

    def _call(self, node: ast.Call, frame: Frame, seen: Seen, depth: int) -> Iterator[Attached]:
        place = Place(frame.file, node.lineno)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ROUTE_METHODS:
            base = self.symbols.evaluate(node.func.value, frame)
            identity = _identity(base)
            if identity:
                yield Attached(identity, place)
                return
        callee = self.symbols.evaluate(node.func, frame)
        if isinstance(callee, Project):
            yield from self._onward(callee, node, frame, seen, depth)
        elif isinstance(callee, External) and _brings_routes(callee):
            yield from (Attached(app.identity, place, callee.name) for app in self._apps(node, frame))

    def _onward(self, callee: Project, node: ast.Call, frame: Frame, seen: Seen, depth: int) -> Iterator[Attached]:
        target = self.symbols.constructor(callee) if isinstance(callee.node, ast.ClassDef) else callee
        if target is not None:
            yield from self._in_function(target, self.symbols.given(target, node, frame), seen, depth)

    def _apps(self, node: ast.Call, frame: Frame) -> Iterator[App]:
        for part in [*node.args, *(keyword.value for keyword in node.keywords)]:
            value = self.symbols.evaluate(part, frame)
            if isinstance(value, App):
                yield value


def routes_of(index: Index) -> Routes:
    """The shared routes of one index."""
    return index.derived(Routes)


def blueprints(index: Index) -> list[Place]:
    """Where the project itself makes blueprints."""
    symbols = symbols_of(index)
    found = []
    for module in index.modules():
        if "Blueprint(" in module.text and not is_decoy(module.path):
            for node in module.of(ast.Call):
                if not _last_name(node.func).endswith("Blueprint"):
                    continue
                value = symbols.evaluate(node.func, Frame(module.path))
                if isinstance(value, External) and value.name.rsplit(".", 1)[-1].endswith("Blueprint"):
                    found.append(Place(module.path, node.lineno))
    return found


def outer_calls(module: Module) -> list[ast.Call]:
    """The calls that importing a module makes itself."""
    return [node for node in outer_nodes(module.tree.body) if isinstance(node, ast.Call)] if module.tree else []


def outer_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes with children that run when a module is imported: no bodies of functions, nor of the main program.

    Class bodies are left out: they run, but hold columns and fields by the hundred and no routes.
    """
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            pending.extend(node.decorator_list)
        elif isinstance(node, ast.If) and is_main_guard(node):
            pending.extend(node.orelse)
        elif not isinstance(node, ast.Lambda):
            pending.extend(branches_of(node))


def is_view(node: Function) -> bool:
    """Whether a function is decorated as a view of something."""
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in ROUTE_METHODS
        for each in node.decorator_list
    )


def _last_name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _identity(base: Value) -> Identity | None:
    if isinstance(base, App):
        return base.identity
    return ANY if isinstance(base, External) and base.name == "flask.current_app" else None


def _brings_routes(callee: External) -> bool:
    name = callee.name.removesuffix(".init_app")
    return name in ROUTE_BRINGERS
