"""Reads of the process environment, in the many ways that projects spell them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import Code, Function, Project, argument, constant_text, keyword, project_of
from carboy.inspection.index import Index

ENVIRON = frozenset({"os.environ", "os.environb"})
_METHODS = frozenset({"get", "pop", "setdefault"})
_GETTERS = frozenset({"os.getenv", *(f"os.environ.{method}" for method in _METHODS)})
_READERS = (  # callables of configuration libraries: a name first, a default by the keyword or the second position
    re.compile(r"^decouple\.(config|AutoConfig|Config)$"),
    re.compile(r"^starlette\.config\.Config$"),
    re.compile(r"^environs\.(Env|env)$"),
    re.compile(r"^environ\.(Env|FileAwareEnv)$"),
)
_READER_WORDS = frozenset({"config", "AutoConfig", "Config", "Env", "env", "FileAwareEnv"})
_TYPED = frozenset({
    "str", "int", "bool", "float", "list", "dict", "json", "url", "path", "db", "db_url", "decimal", "date",
    "bytes", "timedelta", "datetime", "uuid", "log_level", "enum", "cache", "get_value", "dj_db_url", "tuple",
    "email_url",
})  # fmt: skip
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


@dataclass(frozen=True)
class EnvRead:
    """One read of a variable. `strict`: it raises where the variable is missing."""

    name: str
    default: ast.expr | None
    strict: bool
    code: Code
    node: ast.AST


@dataclass(frozen=True)
class Wrapper:
    """A function of the project that reads the variable named by its parameter at `position`."""

    position: int
    prefix: str
    default_position: int | None
    default: ast.expr | None
    strict: bool


class Environment:
    """Finds reads of the environment; knows the project's own wrappers around them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._aliases = {path: _aliases(code) for path, code in project.codes.items()}
        self._wrappers: dict[str, dict[str, Wrapper]] = {}
        for path, code in project.codes.items():
            self._wrappers[path] = dict(self._find_wrappers(code))
        self._reads: dict[str, tuple[EnvRead, ...]] = {}
        # The last words of every call that could be a read: the rest of a file's calls are not looked at.
        self._words = _METHODS | _TYPED | _READER_WORDS | {"getenv"}
        self._words |= {name for wrappers in self._wrappers.values() for name in wrappers}
        self._words |= {name.rpartition(".")[2] for aliases in self._aliases.values() for name in aliases}

    def reads(self, code: Code) -> tuple[EnvRead, ...]:
        """Every read in one file, by line."""
        if code.path not in self._reads:
            self._reads[code.path] = tuple(self._read(code))
        return self._reads[code.path]

    def _read(self, code: Code) -> Iterator[EnvRead]:
        nodes: list[ast.expr] = [*code.calls_where(self._words.__contains__), *code.subscripts, *code.compares]
        for node in sorted(nodes, key=lambda item: (item.lineno, item.col_offset)):
            found = self.read_of(node, code)
            if found:
                yield found

    def read_of(self, node: ast.AST, code: Code) -> EnvRead | None:
        """The read that this very expression is, or None."""
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
                return EnvRead(name, None, True, code, node) if self._is_environ(value, code) else None
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[right]) if self._is_environ(right, code):
                return EnvRead(name, ast.Constant(value=None), False, code, node)
            case ast.Call():
                return self._call(node, code)
        return None

    def _is_environ(self, node: ast.AST, code: Code) -> bool:
        name = code.dotted(node)
        return name in ENVIRON or self._aliases[code.path].get(name) == "environ"

    def _call(self, call: ast.Call, code: Code) -> EnvRead | None:
        name = constant_text(argument(call, 0, "key", "option", "name"))
        if name is None or not _NAME.match(name):
            return None
        dotted = code.dotted(call.func)
        head, _, method = dotted.rpartition(".")
        alias = self._aliases[code.path]
        if dotted in _GETTERS or (method in _METHODS and alias.get(head) == "environ"):
            return EnvRead(name, argument(call, 1, "default"), False, code, call)
        if _is_reader(dotted) or alias.get(dotted) == "reader" or (method in _TYPED and alias.get(head) == "reader"):
            default = keyword(call, "default") or (argument(call, 1) if len(call.args) > 1 else None)
            return EnvRead(name, default, default is None, code, call)
        return self._through_wrapper(call, dotted, name, code)

    def _through_wrapper(self, call: ast.Call, dotted: str, name: str, code: Code) -> EnvRead | None:
        wrapper = self._wrapper_named(dotted, code)
        if wrapper is None or wrapper.position != 0:
            return None
        default = wrapper.default
        if wrapper.default_position is not None:
            default = argument(call, wrapper.default_position, "default", "fallback") or default
        given = default is not None and not (isinstance(default, ast.Constant) and default.value is None)
        return EnvRead(wrapper.prefix + name, default if given else None, wrapper.strict and not given, code, call)

    def _wrapper_named(self, dotted: str, code: Code) -> Wrapper | None:
        last = dotted.rsplit(".", 1)[-1]
        if "." not in dotted:
            return self._wrappers.get(code.path, {}).get(last)
        if not dotted or dotted.startswith("?"):
            return None
        found = self.project.resolve(dotted, code.path)
        return self._wrappers.get(found[0], {}).get(last) if found and found[0] in self._wrappers else None

    def _find_wrappers(self, code: Code) -> Iterator[tuple[str, Wrapper]]:
        if not self._aliases[code.path] and not code.mentions("environ", "getenv"):
            return
        for node in [*code.calls_of("getenv", *_METHODS), *code.subscripts]:
            named = self._read_by_parameter(node, code)
            function = code.function_of(node) if named else None
            if named and function:
                wrapper = _wrapper(function, named[0], named[1], isinstance(node, ast.Subscript), node)
                if wrapper:
                    yield function.name, wrapper

    def _read_by_parameter(self, node: ast.AST, code: Code) -> tuple[str, str] | None:
        """The parameter (and a fixed prefix) by which a read names its variable."""
        match node:
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if self._is_environ(value, code):
                return _parameter(key)
            case ast.Call(func=func, args=[key, *_]) if code.dotted(func) in _GETTERS:
                return _parameter(key)
        return None


def environment_of(index: Index) -> Environment:
    """The shared finder of one index."""
    return index.derived(_make_environment)


def _make_environment(index: Index) -> Environment:
    return Environment(project_of(index))


def _is_reader(dotted: str) -> bool:
    return any(pattern.match(dotted) for pattern in _READERS)


def _aliases(code: Code) -> dict[str, str]:
    """Names that stand for os.environ, and objects that read it: env = Env(), config = dotenv_values()."""
    found: dict[str, str] = {}
    if not code.mentions("environ", "dotenv", "decouple", "starlette"):
        return found
    for statement in code.assigns:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        value = statement.value
        if (
            value is None
            or isinstance(value, ast.Constant)
            or not all(isinstance(target, ast.Name) for target in targets)
        ):
            continue
        kind = _alias_kind(value, code)
        if kind:
            found.update({target.id: kind for target in targets if isinstance(target, ast.Name)})
    for local, dotted in code.imports.items():
        if dotted in {"decouple.config", "environs.env"}:
            found[local] = "reader"
            found[dotted] = "reader"
    return found


def _alias_kind(value: ast.expr, code: Code) -> str | None:
    if code.dotted(value) == "os.environ":
        return "environ"
    if not isinstance(value, ast.Call):
        values = value.values if isinstance(value, ast.Dict) else []
        return "environ" if any(code.dotted(part) == "os.environ" for part in values) else None
    dotted = code.dotted(value.func)
    if dotted in {"os.environ.copy", "dotenv.dotenv_values", "dotenv_values"}:
        return "environ"
    if dotted == "dict" and value.args and code.dotted(value.args[0]) == "os.environ":
        return "environ"
    return "reader" if _is_reader(dotted) and dotted != "decouple.config" else None


def _parameter(key: ast.expr) -> tuple[str, str] | None:
    match key:
        case ast.Name(id=name):
            return name, ""
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue(value=ast.Name(id=name))]):
            return name, prefix
        case ast.BinOp(left=ast.Constant(value=str(prefix)), op=ast.Add(), right=ast.Name(id=name)):
            return name, prefix
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="upper")):
            return name, ""
    return None


def _wrapper(function: Function, parameter: str, prefix: str, subscript: bool, node: ast.AST) -> Wrapper | None:
    names = [arg.arg for arg in function.args.args]
    shift = 1 if names and names[0] in {"self", "cls"} else 0
    if parameter not in names:
        return None
    position = names.index(parameter) - shift
    defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
    second = next((name for name in names if name in {"default", "fallback", "default_value"}), None)
    at = names.index(second) - shift if second else None
    own = node.args[1] if isinstance(node, ast.Call) and len(node.args) > 1 else None
    default = defaults.get(second) if second else (own if isinstance(own, ast.Constant) else None)
    raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(function))
    strict = raises or (subscript and not _is_looked_up_first(function))
    return Wrapper(position, prefix, at, default, strict)


def _is_looked_up_first(function: Function) -> bool:
    """Whether the function asks if the variable is there, or catches that it is not."""
    nodes = list(ast.walk(function))
    asked = any(isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn) for node in nodes)
    return asked or any(isinstance(node, ast.Try) for node in nodes)
