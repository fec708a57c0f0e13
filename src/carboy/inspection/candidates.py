"""Every object and factory of the project that could be the app."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from carboy.inspection.arguments import Arguments, choose_arguments
from carboy.inspection.code import is_decoy
from carboy.inspection.hints import Hint, hints_of
from carboy.inspection.index import Index, Module
from carboy.inspection.roots import roots_of
from carboy.inspection.routes import Attached, is_view, routes_of
from carboy.inspection.scopes import Binding, Imported
from carboy.inspection.symbols import Frame, symbols_of
from carboy.inspection.values import App, Project, Value
from carboy.model.facts import Place


@dataclass
class Found:
    """One way to reach an app: the attribute `name` of `file`, called where it is a factory.

    `how` is made, called (a factory's result), imported, factory or named (only a launch file says so).
    """

    file: str
    line: int
    name: str
    app: App
    how: str
    module: str
    folder: str
    paths: tuple[str, ...]
    attached: tuple[Attached, ...] = ()
    arguments: Arguments | None = None
    hints: list[Hint] = field(default_factory=list)
    score: int = 0
    reasons: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def routes(self) -> int:
        return len(self.attached)

    @property
    def factory(self) -> bool:
        return self.how == "factory"

    @property
    def ref(self) -> str:
        call = "" if not self.factory else f"({(self.arguments and self.arguments.text) or ''})"
        return f"{self.module}:{self.name}{call}"

    @property
    def evidence(self) -> tuple[Place, ...]:
        places = [Place(self.file, self.line)]
        if self.app.factory is None and (self.app.file, self.app.line) != (self.file, self.line):
            places.append(Place(self.app.file, self.app.line))
        if self.arguments:
            places += self.arguments.evidence
        return tuple(dict.fromkeys([*places, *(hint.place for hint in self.hints)]))


def find_candidates(index: Index) -> tuple[Found, ...]:
    """All candidates, unranked, in the order of their files."""
    found = [each for module in index.modules() if module.tree for each in _in_module(index, module)]
    found = [each for each in found if each.app.kind != "asgi" or each.app.inner]
    kept = _without_echoes(index, found)
    calls = factory_calls(index, {each.name for each in kept if each.factory})
    for each in kept:
        if each.factory and isinstance(each.app.factory, Project):
            each.arguments = choose_arguments(index, each.app.factory, calls.get(_key(each.app.factory), []))
        each.attached = _attached(index, each)
    return (*kept, *_only_named(index, kept))


def candidates_of(index: Index) -> tuple[Found, ...]:
    """The shared candidates of one index."""
    return index.derived(find_candidates)


def _in_module(index: Index, module: Module) -> Iterator[Found]:
    symbols = symbols_of(index)
    scope = symbols.scope_of(module.path)
    for name, bindings in scope.names.items():
        binding = next((each for each in reversed(bindings) if not each.guard), None)
        if binding is None or "." in name or name.startswith("__"):
            continue
        if isinstance(binding.value, ast.FunctionDef | ast.AsyncFunctionDef):
            if not is_view(binding.value):
                yield from _factory(index, module.path, name, binding.value)
            continue
        if len(bindings) == 1 and symbols.is_of_library(binding.value):
            continue
        value = symbols.member(module.path, name)
        if isinstance(value, App):
            yield from _object(index, module.path, name, binding, value)
    for star in scope.stars:
        file = symbols.roots.file_of(module.path, star)
        for name in symbols.scope_of(file).names if file else ():
            value = symbols.member(module.path, name)
            if isinstance(value, App) and value.serves and "." not in name:
                yield _found(index, module.path, star.node.lineno, name, value, "imported")


def _factory(index: Index, file: str, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Found]:
    factory = Project(file, node)
    value = _served_part(symbols_of(index).returned(factory, {}))
    if value is None or not value.serves or isinstance(node, ast.AsyncFunctionDef) or _is_generator(node):
        return
    app = App(value.kind, value.library, value.file, value.line, value.interface, factory, inner=value.inner)
    yield _found(index, file, node.lineno, name, app, "factory")


def _served_part(value: Value) -> App | None:
    return value if isinstance(value, App) else None


def _is_generator(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))


def _object(index: Index, file: str, name: str, binding: Binding, app: App) -> Iterator[Found]:
    how = "imported" if isinstance(binding.value, Imported) else "called" if app.factory else "made"
    if app.serves:
        yield _found(index, file, binding.line, name, app, how)
    elif not _has_server(index, file, app) and how != "imported":
        yield _found(index, file, binding.line, f"{name}.server", app, how)


def _has_server(index: Index, file: str, dash: App) -> bool:
    """Whether the module already gives a Dash app's Flask object a name, as Dash's manual asks."""
    symbols = symbols_of(index)
    values = [symbols.member(file, name) for name in symbols.scope_of(file).names if "." not in name]
    return any(isinstance(each, App) and each.serves and each.identity == dash.identity for each in values)


def _found(index: Index, file: str, line: int, name: str, app: App, how: str) -> Found:
    roots = roots_of(index)
    folder, paths = roots.working_folder(file)
    return Found(file, line, name, app, how, roots.module_name(file), folder, paths)


def _without_echoes(index: Index, found: list[Found]) -> list[Found]:
    """Imports of an app are candidates only where a program would begin, or where they add to the app."""
    imported = _imported_by_others(index)
    hinted = {hint.file for hint in hints_of(index)}
    origins = {each.app.identity for each in found if each.how != "imported"}
    kept: list[Found] = []
    echoes: list[Found] = []
    for each in found:
        inside = each.how == "imported" and (each.file in imported or is_decoy(each.file)) and each.file not in hinted
        (echoes if inside else kept).append(each)
    for each in echoes:
        same = [other for other in kept if other.app.identity == each.app.identity]
        if each.app.identity not in origins or all(_adds_routes(index, each, other) for other in same):
            kept.append(each)
    return sorted(kept, key=found.index)


def _adds_routes(index: Index, echo: Found, origin: Found) -> bool:
    """Whether the app has more routes once the importing file was imported: `main.py` that imports all views."""
    return (
        not is_decoy(echo.file) and not origin.factory and len(_attached(index, echo)) > len(_attached(index, origin))
    )


def _imported_by_others(index: Index) -> set[str]:
    symbols = symbols_of(index)
    found: set[str] = set()
    for path in index.python_files:
        if not is_decoy(path):
            found |= {target for target in symbols.roots.imported_files(path) if target != path}
    return found


def factory_calls(index: Index, names: set[str]) -> dict[tuple[str, int], list[tuple[ast.Call, str]]]:
    """Every call with arguments of a factory of one of these names, tests and main programs included."""
    symbols = symbols_of(index)
    calls: dict[tuple[str, int], list[tuple[ast.Call, str]]] = {}
    for module in index.modules():
        aliases = names | _aliases(module, names)
        for node in module.of(ast.Call) if any(name in module.text for name in names) else ():
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in aliases and (node.args or node.keywords):
                callee = symbols.evaluate(node.func, Frame(module.path))
                if isinstance(callee, Project) and not isinstance(callee.node, ast.ClassDef):
                    calls.setdefault(_key(callee), []).append((node, module.path))
    return calls


def _aliases(module: Module, names: set[str]) -> set[str]:
    imported = (alias for node in module.of(ast.ImportFrom) for alias in node.names)
    return {alias.asname for alias in imported if alias.asname and alias.name in names}


def _key(factory: Project) -> tuple[str, int]:
    return factory.file, factory.node.lineno


def _attached(index: Index, found: Found) -> tuple[Attached, ...]:
    routes = routes_of(index)
    if found.factory and found.app.factory:
        return tuple(routes.of_factory(found.app.factory, found.app))
    return tuple(routes.of_object(found.file, found.app))


def _only_named(index: Index, found: list[Found]) -> Iterator[Found]:
    """What a server's command names and reading could not recognise: believed where the module has such a name."""
    known = {(each.file, each.name) for each in found}
    symbols = symbols_of(index)
    for hint in hints_of(index):
        name = hint.attribute
        if hint.file is None or name is None or hint.server in {"flask", "python"} or (hint.file, name) in known:
            continue
        scope = symbols.scope_of(hint.file)
        if name in scope.names and any(many_or_call(each) for each in scope.names[name]):
            known.add((hint.file, name))
            line = scope.names[name][-1].line
            app = App("wsgi", "", hint.file, line, hint.interface or "wsgi")
            each = _found(index, hint.file, line, name, app, "factory" if hint.call is not None else "named")
            each.arguments = Arguments(hint.call) if hint.call is not None else None
            yield each


def many_or_call(binding: Binding) -> bool:
    """Whether a name is bound to something that could be an app: not to a constant, a list or a class."""
    return not binding.guard and not isinstance(binding.value, ast.Constant | ast.List | ast.Dict | ast.ClassDef)
