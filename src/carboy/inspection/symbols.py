"""Reading what expressions stand for: a small evaluation of the project's own code that never runs it."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from carboy.inspection.code import Function
from carboy.inspection.index import Index
from carboy.inspection.roots import join, roots_of
from carboy.inspection.scopes import Binding, Imported, Scope, read_module_scope, read_scope
from carboy.inspection.values import MAKERS, WRAPPERS, App, External, Many, ModuleValue, Project, Value

DEEPEST = 14  # calls and names followed one into the other; real code needs about six
MOST_OPEN = 60
MOST_STEPS = 4000  # for one question: functions that call each other twice would double it at each level


@dataclass(frozen=True)
class Frame:
    """Where an expression stands: its file, and the function around it with what its parameters were given."""

    file: str
    function: Scope | None = None
    given: Mapping[str, Value] = field(default_factory=dict)
    depth: int = 0

    def deeper(self) -> "Frame":
        return Frame(self.file, self.function, self.given, self.depth + 1)


class Symbols:
    """The values of one project's names; each module's names are worked out once."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.roots = roots_of(index)
        self.scope_of = cache(self._scope_of)
        self.function_scope = cache(self._function_scope)
        self._members: dict[tuple[str, str], Value] = {}
        self._returns: dict[Project, Value] = {}
        self._open: set[tuple[str, str]] = set()
        self._cycles = 0
        self._steps = 0

    def _scope_of(self, file: str) -> Scope:
        module = self.index.module(file)
        return read_module_scope(module.tree.body) if module and module.tree else Scope()

    def _function_scope(self, node: Function | ast.ClassDef) -> Scope:
        return read_scope(node.body)

    # ------------------------------------------------------------------ names

    def member(self, file: str, name: str) -> Value:
        """What `name` is after the module `file` was imported."""
        key = (file, name)
        if key in self._members:
            return self._members[key]
        if key in self._open or len(self._open) > MOST_OPEN:
            self._cycles += 1
            return None
        cycles = self._cycles
        self._open.add(key)
        try:
            value = self._from_bindings(self.scope_of(file), name, Frame(file), guards={""})
        finally:
            self._open.discard(key)
        if value is not None or cycles == self._cycles or not self._open:  # else None may only mean: not yet
            self._members[key] = value
        return value

    def main_name(self, node: ast.expr, frame: Frame) -> Value:
        """Like `evaluate`, in a file that is run as the main program."""
        return self.evaluate(node, replace(frame, function=self.scope_of(frame.file)))

    def _from_bindings(self, scope: Scope, name: str, frame: Frame, guards: set[str]) -> Value:
        found: Value = None
        for binding in reversed(scope.names.get(name, ())):
            if binding.guard not in guards:
                continue
            value = self._bound(binding, frame.deeper())
            if isinstance(value, App):
                return value
            found = found if found is not None else value
        if found is None:
            found = self._from_stars(scope, name, frame)
        return found

    def _from_stars(self, scope: Scope, name: str, frame: Frame) -> Value:
        for star in scope.stars:
            file = self.roots.file_of(frame.file, star)
            value = self.member(file, name) if file and not name.startswith("_") else None
            if value is not None:
                return value
        return None

    def _bound(self, binding: Binding, frame: Frame) -> Value:
        if isinstance(binding.value, Imported):
            return self._imported(frame.file, binding.value)
        if isinstance(binding.value, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return Project(frame.file, binding.value)
        value = self.evaluate(binding.value, frame)
        if binding.part is None:
            return value
        return value.parts[binding.part] if isinstance(value, Many) and binding.part < len(value.parts) else None

    # ---------------------------------------------------------------- imports

    def is_of_library(self, value: object) -> bool:
        """Whether this is an import of something that is not the project's, by its first name alone."""
        return isinstance(value, Imported) and not value.level and not self.roots.may_be_own(value.module)

    def _imported(self, file: str, imported: Imported) -> Value:
        if imported.level:
            stem = self.roots.relative(file, imported.node) if isinstance(imported.node, ast.ImportFrom) else None
            return self._in_stem(stem, imported.name) if stem is not None else None
        dotted = f"{imported.module}.{imported.name}" if imported.name else imported.module
        if dotted in MAKERS or dotted in WRAPPERS:
            return External(dotted)
        found = self.roots.find(imported.module, file)
        if found:
            return self._in_stem(_stem(found), imported.name)
        if imported.name and (inner := self.roots.find(dotted, file)):
            return ModuleValue(_stem(inner), inner)
        if imported.name is None and (folder := self._namespace(file, imported.module)):
            return ModuleValue(folder, None)
        return External(dotted)

    def _namespace(self, file: str, module: str) -> str | None:
        folder = join(self.roots.root_of(file), module.replace(".", "/"))
        return folder if folder in self.index.folders and folder else None

    def _in_stem(self, stem: str, name: str | None) -> Value:
        file = self.roots.stem_file(stem)
        if name is None:
            return ModuleValue(stem, file)
        value = self.member(file, name) if file else None
        return value if value is not None else self._submodule(stem, name)

    def _submodule(self, stem: str, name: str) -> Value:
        inner = join(stem, name)
        file = self.roots.stem_file(inner)
        return ModuleValue(inner, file) if file or inner in self.index.folders else None

    # ------------------------------------------------------------ expressions

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """What an expression stands for, None where reading cannot tell or it is nothing we follow."""
        self._steps = self._steps + 1 if self._open else 0
        if frame.depth > DEEPEST or self._steps > MOST_STEPS:
            return None
        match node:
            case ast.Name(id=name):
                return self.name(name, frame)
            case ast.Attribute():
                return self._attribute(node, frame)
            case ast.Call():
                return self._call(node, frame.deeper())
            case ast.BoolOp(values=parts):
                return self._first_app(parts, frame)
            case ast.IfExp(body=body, orelse=orelse):
                return self._first_app([body, orelse], frame)
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.evaluate(value, frame)
            case ast.Tuple(elts=parts):
                return Many(tuple(self.evaluate(part, frame.deeper()) for part in parts))
            case ast.Subscript(value=value, slice=ast.Constant(value=int() as number)):
                whole = self.evaluate(value, frame)
                return whole.parts[number] if isinstance(whole, Many) and abs(number) < len(whole.parts) else None
        return None

    def _first_app(self, parts: list[ast.expr], frame: Frame) -> Value:
        values = [self.evaluate(part, frame) for part in parts]
        return next((value for value in values if isinstance(value, App)), values[0])

    def name(self, name: str, frame: Frame) -> Value:
        """A name, looked up in the function, then in the module."""
        if name in frame.given:
            return frame.given[name]
        if frame.function and name in frame.function.names and name not in frame.function.global_names:
            key = (f"{frame.file}:{id(frame.function)}", name)
            if key in self._open:
                return None
            self._open.add(key)
            try:
                return self._from_bindings(frame.function, name, frame, guards={"", "main"})
            finally:
                self._open.discard(key)
        return self.member(frame.file, name)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        if isinstance(node.value, ast.Name) and frame.function:
            key = f"{node.value.id}.{node.attr}"
            if key in frame.function.names:
                return self._from_bindings(frame.function, key, frame, guards={""})
        return self.attribute(self.evaluate(node.value, frame), node.attr, frame)

    def attribute(self, base: Value, name: str, frame: Frame) -> Value:
        """`base.name`."""
        match base:
            case External(name=dotted):
                return External(f"{dotted}.{name}")
            case ModuleValue(stem=stem, file=file):
                value = self.member(file, name) if file else None
                return value if value is not None else self._submodule(stem, name)
            case App():
                return _app_attribute(base, name)
            case Project(node=ast.ClassDef()):
                return self._class_attribute(base, name, frame)
        return None

    def _class_attribute(self, base: Project, name: str, frame: Frame) -> Value:
        if not isinstance(base.node, ast.ClassDef):
            return None
        body = self.function_scope(base.node)
        inner = Frame(base.file, body, {}, frame.depth + 1)
        for binding in body.names.get(name, ()):
            if isinstance(binding.value, ast.FunctionDef | ast.AsyncFunctionDef):
                return Project(base.file, binding.value, owner=base)
        if name in body.names:
            return self._from_bindings(body, name, inner, guards={""})
        for method in base.node.body:
            if isinstance(method, ast.FunctionDef) and method.args.args:
                held = f"{method.args.args[0].arg}.{name}"
                scope = self.function_scope(method)
                if held in scope.names:
                    return self._from_bindings(scope, held, replace(inner, function=scope), guards={""})
        return None

    # ------------------------------------------------------------------ calls

    def _call(self, node: ast.Call, frame: Frame) -> Value:
        callee = self.evaluate(node.func, frame)
        match callee:
            case External(name=dotted, made=False):
                return self._external_call(dotted, node, frame)
            case Project(node=ast.ClassDef()) if not callee.made:
                return self._instance(callee, node, frame)
            case Project(node=ast.FunctionDef() | ast.AsyncFunctionDef()):
                return self._function_call(callee, node, frame)
        return None

    def _external_call(self, dotted: str, node: ast.Call, frame: Frame) -> Value:
        if dotted in MAKERS:
            kind, interface = MAKERS[dotted]
            return App(kind, dotted, frame.file, node.lineno, interface, serves=kind != "dash")
        if dotted in WRAPPERS:
            return self._wrapped(dotted, WRAPPERS[dotted] == "asgi", node, frame)
        if dotted in {"functools.partial", "typing.cast"} and node.args:
            return self.evaluate(node.args[-1 if dotted == "typing.cast" else 0], frame)
        return External(dotted, made=True)

    def _wrapped(self, library: str, asgi: bool, node: ast.Call, frame: Frame) -> Value:
        inner = self._app_among(node, frame)
        if inner is None and library != "socketio.ASGIApp":
            return None
        kind = inner.kind if inner and inner.kind in {"flask", "quart"} else ("asgi" if asgi else "wsgi")
        file, line = frame.file, node.lineno
        return App(kind, library, file, line, "asgi" if asgi else "wsgi", inner=inner and (inner.inner or inner))

    def _app_among(self, node: ast.Call, frame: Frame) -> App | None:
        for part in [*node.args, *(keyword.value for keyword in node.keywords)]:
            value = self.evaluate(part, frame)
            if isinstance(value, App):
                return value
        return None

    def class_maker(self, found: Value, depth: int = 0) -> str | None:
        """The library class that makes apps and that a class is, or inherits from."""
        if isinstance(found, External):
            return found.name if found.name in MAKERS else None
        if not isinstance(found, Project) or not isinstance(found.node, ast.ClassDef) or depth > DEEPEST:
            return None
        bases = [self.evaluate(base, Frame(found.file)) for base in found.node.bases]
        return next((maker for base in bases if base != found and (maker := self.class_maker(base, depth + 1))), None)

    def _instance(self, found: Project, node: ast.Call, frame: Frame) -> Value:
        maker = self.class_maker(found)
        if maker:
            kind, interface = MAKERS[maker]
            return App(kind, maker, frame.file, node.lineno, interface, serves=kind != "dash", call=node)
        if isinstance(found.node, ast.ClassDef) and _is_middleware(found.node):
            return self._wrapped(found.node.name, False, node, frame)
        return replace(found, made=True)

    def _function_call(self, found: Project, node: ast.Call, frame: Frame) -> Value:
        if isinstance(found.node, ast.ClassDef):
            return None
        value = self.returned(found, self.given(found, node, frame), frame.depth)
        return _through(value, found, node, frame.file)

    def given(self, found: Project, node: ast.Call, frame: Frame) -> dict[str, Value]:
        """What the parameters of a function get in one call, as far as apps and the project's things are concerned."""
        if isinstance(found.node, ast.ClassDef):
            return {}
        names = [argument.arg for argument in (*found.node.args.posonlyargs, *found.node.args.args)]
        if found.owner is not None and names and not _is_static(found.node):
            names = names[1:]
        given = {name: self.evaluate(part, frame) for name, part in zip(names, node.args, strict=False)}
        given |= {each.arg: self.evaluate(each.value, frame) for each in node.keywords if each.arg}
        return {name: value for name, value in given.items() if value is not None}

    def returned(self, found: Project, given: Mapping[str, Value], depth: int = 0) -> Value:
        """What a function of the project gives back."""
        plain = found.owner is None and not any(isinstance(each, App | Project | Many) for each in given.values())
        if plain and found in self._returns:
            return self._returns[found]
        key = (found.file, f"return of line {found.node.lineno}")
        if depth > DEEPEST or key in self._open or len(self._open) > MOST_OPEN:
            self._cycles += 1
            return None
        cycles = self._cycles
        self._open.add(key)
        try:
            value = self._returned(found, given, 0 if plain else depth)
        finally:
            self._open.discard(key)
        if plain and (value is not None or cycles == self._cycles or not self._open):
            self._returns[found] = value
        return value

    def _returned(self, found: Project, given: Mapping[str, Value], depth: int) -> Value:
        if isinstance(found.node, ast.ClassDef) or _is_fixture(found.node):
            return None
        frame = self.frame_of(found, given, depth + 1)
        result: Value = None
        for statement, _ in reversed(self.function_scope(found.node).statements):
            if isinstance(statement, ast.Return) and statement.value is not None:
                value = self.evaluate(statement.value, frame)
                if isinstance(value, App) or (isinstance(value, Many) and any(isinstance(p, App) for p in value.parts)):
                    return value
                result = result if result is not None else value
        return result

    def frame_of(self, found: Project, given: Mapping[str, Value], depth: int = 0) -> Frame:
        """The inside of a function, called with what is given."""
        return Frame(found.file, self.function_scope(found.node), self._with_owner(found, given), depth)

    def constructor(self, found: Project) -> Project | None:
        """A class's `__init__`, None where it has none of its own."""
        for method in found.node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                return Project(found.file, method, owner=found)
        return None

    def _with_owner(self, found: Project, given: Mapping[str, Value]) -> Mapping[str, Value]:
        if found.owner is None or isinstance(found.node, ast.ClassDef) or not found.node.args.args:
            return given
        return {found.node.args.args[0].arg: found.owner, **given}


def symbols_of(index: Index) -> Symbols:
    """The shared symbols of one index."""
    return index.derived(Symbols)


def _through(value: Value, factory: Project, node: ast.Call, file: str) -> Value:
    """An app that came out of a project's function remembers the outermost call."""
    if isinstance(value, App):
        return replace(value, factory=factory, call=node, caller=file)
    if isinstance(value, Many):
        return Many(tuple(_through(part, factory, node, file) for part in value.parts))
    return value


def _app_attribute(app: App, name: str) -> Value:
    if app.kind == "dash" and name == "server":
        return replace(app, kind="flask", serves=True)
    if name in {"wsgi_app", "asgi_app"} or (name == "app" and app.library.startswith("connexion")):
        return app
    return None


def _stem(file: str) -> str:
    return file.removesuffix(".py").removesuffix("__init__").rstrip("/")


def _is_static(node: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)


def _is_fixture(node: Function) -> bool:
    for each in node.decorator_list:
        called = each.func if isinstance(each, ast.Call) else each
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in {"fixture", "contextmanager", "property", "asynccontextmanager"}:
            return True
    return False


def _is_middleware(node: ast.ClassDef) -> bool:
    """A class whose instances take (environ, start_response)."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__call__":
            return len(method.args.args) == 3
    return False
