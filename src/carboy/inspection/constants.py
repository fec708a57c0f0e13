"""What expressions come to, as far as reading can tell: constants, paths, and reads of the environment.

Texts hold marks for what is not known by reading: where the project, the working folder or the instance folder lies,
a value made by chance, and parts that only the running app knows.
"""

import ast
import posixpath
import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from carboy.inspection.code import (
    Code,
    Definition,
    Function,
    Project,
    argument,
    assigned,
    constant_text,
    project_of,
    statements_in,
)
from carboy.inspection.environment import Environment, environment_of
from carboy.inspection.index import Index

ROOT: Final = "\ue000"  # absolute path of the project
INSTANCE: Final = "\ue001"  # absolute path of the instance folder
WORKING: Final = "\ue002"  # the working folder of the process
CHANCE: Final = "\ue003"  # different in each process
UNKNOWN: Final = "\ue004"
HOME: Final = "\ue005"  # of the user
_DEEPEST = 12
_MOST = 6  # alternatives of one expression
_RANDOM = ("os.urandom", "uuid.uuid", "random.", "secrets.", "get_random_bytes", "Fernet.generate_key")
_SAME = frozenset({
    "str", "bool", "int", "os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser",
    "os.fspath", "os.path.expandvars", "os.path.normcase", "ast.literal_eval",
})  # fmt: skip
_SAME_METHODS = frozenset({
    "resolve", "absolute", "as_posix", "strip", "rstrip", "lower", "expanduser", "encode", "decode", "replace",
    "split", "hex",
})  # fmt: skip


@dataclass(frozen=True)
class Value:
    """`texts` are the constants it can be, first the likeliest; `variables` what feeds it from the environment.

    `strict`: without one of the variables reading it fails.
    """

    texts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    strict: bool = False

    @property
    def known(self) -> bool:
        return bool(self.texts or self.variables)


NOTHING: Final = Value()


class Evaluator:
    """Evaluates expressions of one project."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self.project = project
        self.environment = environment

    def value(self, node: ast.AST | None, code: Code, deep: int = 0) -> Value:
        """What an expression comes to; NOTHING where reading cannot tell."""
        if node is None or deep > _DEEPEST:
            return NOTHING
        read = self.environment.read_of(node, code)
        if read is not None and not isinstance(node, ast.Compare):
            default = self._fallback(read.default, code, deep)
            return Value(default.texts, (read.name, *default.variables), read.strict)
        match node:
            case ast.Constant(value=constant):
                return NOTHING if constant is None or constant is Ellipsis else Value((_plain(constant),))
            case ast.JoinedStr(values=parts):
                return self._joined(list(parts), code, deep)
            case ast.FormattedValue(value=inner) | ast.Await(value=inner) | ast.NamedExpr(value=inner):
                return self.value(inner, code, deep + 1)
            case ast.BoolOp(values=parts):
                return _either([self._fallback(part, code, deep) for part in parts[:_MOST]])
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return _either([self.value(part, code, deep + 1) for part in parts[:_MOST]])
            case ast.IfExp(body=first, orelse=second):
                return _either([self.value(first, code, deep + 1), self.value(second, code, deep + 1)])
            case ast.BinOp():
                return self._binary(node, code, deep)
            case ast.Call():
                return self._call(node, code, deep)
            case ast.Name():
                return self._name(node, code, deep)
            case ast.Attribute():
                return self._attribute(node, code, deep)
            case ast.Subscript(value=inner, slice=key):
                return self._subscript(inner, key, code, deep)
        return NOTHING

    def _fallback(self, node: ast.expr | None, code: Code, deep: int) -> Value:
        """One of several ways to a value: one that reading cannot tell is a way all the same."""
        value = self.value(node, code, deep + 1)
        empty = node is None or isinstance(node, ast.Constant)
        return value if value.known or empty else Value((UNKNOWN,))

    def _joined(self, parts: list[ast.expr], code: Code, deep: int) -> Value:
        total = Value(("",))
        for part in parts:
            total = _concatenated(total, self.value(part, code, deep + 1))
        return total

    def _binary(self, node: ast.BinOp, code: Code, deep: int) -> Value:
        left = self.value(node.left, code, deep + 1)
        if isinstance(node.op, ast.Add):
            return _concatenated(left, self.value(node.right, code, deep + 1))
        if isinstance(node.op, ast.Div):
            return _path_joined([left, self.value(node.right, code, deep + 1)])
        if isinstance(node.op, ast.Mod) and left.texts:
            parts = list(node.right.elts) if isinstance(node.right, ast.Tuple) else [node.right]
            return self._percent(left, parts, code, deep)
        if isinstance(node.op, ast.Mult):
            right = self.value(node.right, code, deep + 1)
            return Value((UNKNOWN,), left.variables + right.variables) if left.known and right.known else NOTHING
        return NOTHING

    def _percent(self, form: Value, parts: list[ast.expr], code: Code, deep: int) -> Value:
        pieces = re.split(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[sdrixf]", form.texts[0])
        if len(parts) == 1 and isinstance(parts[0], ast.Dict):
            named = dict(zip(map(constant_text, parts[0].keys), parts[0].values, strict=True))
            wanted = re.findall(r"%\((\w+)\)", form.texts[0])
            return _filled(pieces, [self.value(named.get(name), code, deep + 1) for name in wanted], form)
        return _filled(pieces, [self.value(part, code, deep + 1) for part in parts], form)

    def _call(self, call: ast.Call, code: Code, deep: int) -> Value:
        dotted = code.dotted(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if any(mark in dotted for mark in _RANDOM):
            return Value((CHANCE,))
        if method == "format" and isinstance(call.func, ast.Attribute):
            return self._format(call, call.func.value, code, deep)
        path = self._path_call(call, dotted, method, code, deep)
        if path is not None:
            return path
        if isinstance(call.func, ast.Attribute) and method in _SAME_METHODS:
            return self.value(call.func.value, code, deep + 1)
        return self._called(call, dotted, code, deep)

    def _path_call(self, call: ast.Call, dotted: str, method: str, code: Code, deep: int) -> Value | None:
        arguments = [self.value(arg, code, deep + 1) for arg in call.args[:8]]
        if dotted in _SAME and arguments:
            return arguments[0]
        if dotted in {"os.path.join", "pathlib.Path", "pathlib.PurePath", "Path", "flask.safe_join"}:
            return _path_joined(arguments) if arguments else Value((WORKING,))
        if method == "joinpath" and isinstance(call.func, ast.Attribute):
            return _path_joined([self.value(call.func.value, code, deep + 1), *arguments])
        if method == "with_name" and isinstance(call.func, ast.Attribute) and arguments:
            return _path_joined([_parent(self.value(call.func.value, code, deep + 1)), *arguments])
        if dotted == "os.path.dirname" and arguments:
            return _parent(arguments[0])
        if dotted in {"os.getcwd", "pathlib.Path.cwd"}:
            return Value((WORKING,))
        if dotted == "pathlib.Path.home":
            return Value((HOME,))
        if dotted in {"tempfile.gettempdir", "tempfile.mkdtemp", "tempfile.mkstemp", "tempfile.TemporaryDirectory"}:
            return Value(("/tmp",))  # noqa: S108  (what the app would get, never opened here)
        return None

    def _format(self, call: ast.Call, receiver: ast.expr, code: Code, deep: int) -> Value:
        form = self.value(receiver, code, deep + 1)
        if not form.texts:
            return Value((), form.variables)
        named = {item.arg: item.value for item in call.keywords if item.arg}
        pieces, fields = _fields(form.texts[0])
        values = []
        for number, name in enumerate(fields):
            position = int(name) if name.isdigit() else number
            node = named.get(name) or (call.args[position] if position < len(call.args) else None)
            values.append(self.value(node, code, deep + 1))
        return _filled(pieces, values, form)

    def _called(self, call: ast.Call, dotted: str, code: Code, deep: int) -> Value:
        """What a function of the project returns, or what is passed through one that we do not know."""
        target = self.project.function(dotted, code.path) if dotted and not dotted.startswith("?") else None
        if target:
            returned = [node.value for node in ast.walk(target[1]) if isinstance(node, ast.Return) and node.value]
            return _either([self.value(node, target[0], deep + 2) for node in returned[:_MOST]])
        if len(call.args) == 1 and not dotted.startswith(("?", "flask.")):
            inner = self.value(call.args[0], code, deep + 1)
            return replace(inner, texts=inner.texts if dotted.rsplit(".", 1)[-1][:1].islower() else ())
        return NOTHING

    def _name(self, node: ast.Name, code: Code, deep: int) -> Value:
        if node.id == "__file__":
            return Value((f"{ROOT}/{code.path}",))
        for owner in reversed(code.owners(node)):
            found = self._owned(owner, node, code, deep)
            if found is not None:
                return found
        if node.id in code.module_names:
            return _either([self.value(v, code, deep + 1) for v in code.module_names[node.id][:_MOST] if v is not node])
        return self._imported(code.imports[node.id], code, deep) if node.id in code.imports else NOTHING

    def _owned(self, owner: Definition, node: ast.Name, code: Code, deep: int) -> Value | None:
        if not isinstance(owner, ast.ClassDef) and node.id in _parameters(owner):
            return self._parameter(owner, node.id, code, deep)
        values = [
            value
            for statement in statements_in(owner.body)
            for name, value in assigned(statement)
            if name == node.id and value is not node and value.lineno <= node.lineno
        ]
        values = [value for value in values if not _holds(value, node)] or values
        return _either([self.value(value, code, deep + 1) for value in values[-3:]]) if values else None

    def _parameter(self, function: Function, name: str, code: Code, deep: int) -> Value:
        """A parameter: what callers in the project pass, else its default."""
        names = _parameters(function)
        defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
        passed: list[Value] = []
        for other, call in self.project.calls_named.get(function.name, ()) if deep < 4 else ():
            if not other.in_main_guard(call):
                passed.append(self.value(argument(call, names.index(name), name), other, deep + 3))
        return _either([*passed[:_MOST], self.value(defaults.get(name), code, deep + 1)])

    def _imported(self, dotted: str, code: Code, deep: int) -> Value:
        found = self.project.resolve(dotted, code.path)
        if not found or not found[1]:
            return NOTHING
        target = self.project.codes[found[0]]
        head, _, tail = found[1].partition(".")
        if tail:
            return self.member(target, head, tail, deep + 1)
        if head in target.module_names:
            return _either([self.value(v, target, deep + 1) for v in target.module_names[head][:_MOST]])
        onward = target.imports.get(head)
        return self._imported(onward, target, deep + 1) if onward and deep < _DEEPEST else NOTHING

    def member(self, code: Code, class_name: str, name: str, deep: int = 0) -> Value:
        """A class attribute, looked up in the class and then in its bases."""
        for definition in code.definitions if deep <= _DEEPEST else ():
            if isinstance(definition, ast.ClassDef) and definition.name == class_name:
                for statement in definition.body:
                    for assigned_name, value in assigned(statement):
                        if assigned_name == name:
                            return self.value(value, code, deep + 1)
                for base in definition.bases:
                    if isinstance(base, ast.Name) and base.id != class_name:
                        return self.member(code, base.id, name, deep + 1)
        return NOTHING

    def _attribute(self, node: ast.Attribute, code: Code, deep: int) -> Value:
        if node.attr == "instance_path":
            return Value((INSTANCE,))
        if node.attr == "root_path":
            return Value((f"{ROOT}/{PurePosixPath(code.path).parent}".rstrip("/."),))
        if node.attr == "parent":
            return _parent(self.value(node.value, code, deep + 1))
        if node.attr in {"hex", "name", "value"}:
            return self.value(node.value, code, deep + 1)
        dotted = code.dotted(node)
        if isinstance(node.value, ast.Name):
            if node.value.id in {"self", "cls"}:
                return self._own_member(node, code, deep)
            return (
                self.member(code, node.value.id, node.attr, deep + 1) or NOTHING
                if (node.value.id not in code.imports)
                else self._imported(dotted, code, deep + 1)
            )
        return self._imported(dotted, code, deep + 1) if dotted and not dotted.startswith("?") else NOTHING

    def _own_member(self, node: ast.Attribute, code: Code, deep: int) -> Value:
        classes = [owner for owner in code.owners(node) if isinstance(owner, ast.ClassDef)]
        return self.member(code, classes[-1].name, node.attr, deep + 1) if classes else NOTHING

    def _subscript(self, inner: ast.expr, key: ast.expr, code: Code, deep: int) -> Value:
        match inner, key:
            case ast.Attribute(value=path, attr="parents"), ast.Constant(value=int(count)) if count < 10:
                value = self.value(path, code, deep + 1)
                for _ in range(count + 1):
                    value = _parent(value)
                return value
            case ast.Attribute(attr="config"), ast.Constant(value=str(name)):
                return self._setting(name, code, deep)
        return Value((), self.value(inner, code, deep + 1).variables)

    def _setting(self, name: str, code: Code, deep: int) -> Value:
        """`app.config["NAME"]`: what the same file or a configuration class sets."""
        if deep > 3:
            return NOTHING
        for other in [code, *(item for item in self.project.ours if item is not code)]:
            for definition in other.definitions:
                if isinstance(definition, ast.ClassDef):
                    found = self.member(other, definition.name, name, deep + 4)
                    if found.known:
                        return found
        return NOTHING


def evaluator_of(index: Index) -> Evaluator:
    """The shared evaluator of one index."""
    return index.derived(_make_evaluator)


def _make_evaluator(index: Index) -> Evaluator:
    return Evaluator(project_of(index), environment_of(index))


def _plain(constant: object) -> str:
    return constant.decode("utf-8", "replace") if isinstance(constant, bytes) else str(constant)


def _parameters(function: Function) -> list[str]:
    return [arg.arg for arg in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]


def _holds(outer: ast.expr, node: ast.AST) -> bool:
    return any(inner is node for inner in ast.walk(outer))


def _either(values: list[Value]) -> Value:
    """One of several: texts in order, without repeats; the environment comes first as `or` reads it."""
    texts = tuple(dict.fromkeys(text for value in values for text in value.texts))[:_MOST]
    variables = tuple(dict.fromkeys(name for value in values for name in value.variables))
    strict = any(value.strict for value in values)
    return Value(texts, variables, strict)


def _concatenated(left: Value, right: Value) -> Value:
    lefts = left.texts or (UNKNOWN,)
    rights = right.texts or (UNKNOWN,)
    texts = tuple(dict.fromkeys(a + b for a in lefts for b in rights))[:_MOST]
    variables = tuple(dict.fromkeys(left.variables + right.variables))
    return Value(texts, variables, left.strict or right.strict)


def _path_joined(parts: list[Value]) -> Value:
    total = parts[0] if parts else NOTHING
    if not total.texts:
        total = replace(total, texts=(UNKNOWN,))
    for part in parts[1:]:
        rights = part.texts or (UNKNOWN,)
        texts = tuple(dict.fromkeys(_joined_text(a, b) for a in total.texts for b in rights))[:_MOST]
        variables = tuple(dict.fromkeys(total.variables + part.variables))
        total = Value(texts, variables, total.strict or part.strict)
    return replace(total, texts=tuple(_normal(text) for text in total.texts))


def _joined_text(left: str, right: str) -> str:
    if right[:1] in {"/", ROOT, INSTANCE, WORKING, HOME}:
        return right
    return f"{left}/{right}" if left else right


def _normal(text: str) -> str:
    return posixpath.normpath(text.replace("\\", "/")) if "/" in text or "\\" in text else text


def _parent(value: Value) -> Value:
    return replace(value, texts=tuple(_normal(posixpath.dirname(_normal(text))) or WORKING for text in value.texts))


def _fields(form: str) -> tuple[list[str], list[str]]:
    """The fixed pieces of a str.format text, and the names of the fields between them."""
    pieces, names, rest = [], [], form
    while "{" in rest and "}" in rest:
        before, _, after = rest.partition("{")
        name, _, rest = after.partition("}")
        pieces.append(before)
        names.append(name.split("!")[0].split(":")[0])
    return [*pieces, rest], names


def _filled(pieces: list[str], values: list[Value], form: Value) -> Value:
    total = Value((pieces[0],), form.variables, form.strict)
    for number, piece in enumerate(pieces[1:]):
        part = values[number] if number < len(values) else NOTHING
        total = _concatenated(_concatenated(total, part), Value((piece,)))
    return total
