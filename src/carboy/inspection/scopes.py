"""What each name of a module, function or class is bound to, without running anything."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from carboy.inspection.code import Function, is_main_guard

Guard = Literal["", "main", "types"]


@dataclass(frozen=True)
class Imported:
    """`import module` (name is None) or `from module import name`, relative by `level`."""

    module: str
    name: str | None
    level: int
    node: ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Binding:
    """One way a name gets its value: an expression (`part` of its tuple), a definition or an import."""

    value: "ast.expr | Function | ast.ClassDef | Imported"
    line: int
    part: int | None = None
    guard: Guard = ""


@dataclass
class Scope:
    """The names of one block, and the statements that run with it."""

    names: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[Imported] = field(default_factory=list)
    statements: list[tuple[ast.stmt, Guard]] = field(default_factory=list)
    global_names: set[str] = field(default_factory=set)

    def bind(self, name: str, binding: Binding) -> None:
        self.names.setdefault(name, []).append(binding)


def read_scope(body: Sequence[ast.stmt]) -> Scope:
    """The bindings of a block, branches included, inner definitions not."""
    scope = Scope()
    for statement, guard in run_statements(body):
        scope.statements.append((statement, guard))
        _bind(scope, statement, guard)
    return scope


def read_module_scope(body: Sequence[ast.stmt]) -> Scope:
    """The bindings of a module, with the globals that the functions it calls itself set."""
    scope = read_scope(body)
    for statement, guard in scope.statements:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
                _bind_globals(scope, name, guard)
    return scope


def _bind_globals(scope: Scope, called: str, guard: Guard) -> None:
    for function in list(scope.names.get(called, ())):
        if not isinstance(function.value, ast.FunctionDef):
            continue
        inner = read_scope(function.value.body)
        for name in sorted(inner.global_names):
            for each in inner.names.get(name, ()):
                scope.bind(name, Binding(each.value, each.line, each.part, guard))


def run_statements(body: Sequence[ast.stmt], guard: Guard = "") -> Iterator[tuple[ast.stmt, Guard]]:
    """Each statement that runs with the block, in order, and whether only as the main program."""
    for statement in body:
        yield statement, guard
        inner = guard
        if isinstance(statement, ast.If):
            if is_main_guard(statement):
                inner = "main"
            elif _only_for_types(statement):
                inner = "types"
            yield from run_statements(statement.body, inner)
            yield from run_statements(statement.orelse, guard)
            continue
        if isinstance(statement, ast.Match):
            for case in statement.cases:
                yield from run_statements(case.body, guard)
        if isinstance(statement, ast.Try | ast.TryStar | ast.With | ast.AsyncWith | ast.For | ast.AsyncFor | ast.While):
            for part in ("body", "orelse", "finalbody"):
                yield from run_statements(getattr(statement, part, ()), guard)
            for handler in getattr(statement, "handlers", ()):
                yield from run_statements(handler.body, guard)


def _only_for_types(statement: ast.If) -> bool:
    name = statement.test.attr if isinstance(statement.test, ast.Attribute) else getattr(statement.test, "id", "")
    return name == "TYPE_CHECKING"


def _bind(scope: Scope, statement: ast.stmt, guard: Guard) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind_target(scope, target, value, guard)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            _bind_target(scope, target, value, guard)
        case ast.Expr(value=ast.NamedExpr(target=target, value=value)):
            _bind_target(scope, target, value, guard)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            scope.bind(name, Binding(statement, statement.lineno, guard=guard))
        case ast.Import() | ast.ImportFrom():
            _bind_import(scope, statement, guard)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    _bind_target(scope, item.optional_vars, item.context_expr, guard)
        case ast.Global(names=names):
            scope.global_names.update(names)


def _bind_target(scope: Scope, target: ast.expr, value: ast.expr, guard: Guard) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, Binding(value, target.lineno, guard=guard))
    elif isinstance(target, ast.Tuple | ast.List):
        for number, part in enumerate(target.elts):
            if isinstance(part, ast.Name):
                scope.bind(part.id, Binding(value, part.lineno, number, guard))
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        scope.bind(f"{target.value.id}.{target.attr}", Binding(value, target.lineno, guard=guard))


def _bind_import(scope: Scope, node: ast.Import | ast.ImportFrom, guard: Guard) -> None:
    for alias in node.names:
        if isinstance(node, ast.Import):
            module = alias.name if alias.asname else alias.name.split(".")[0]
            imported = Imported(module, None, 0, node)
            scope.bind(alias.asname or module, Binding(imported, node.lineno, guard=guard))
        elif alias.name == "*":
            scope.stars.append(Imported(node.module or "", None, node.level, node))
        else:
            imported = Imported(node.module or "", alias.name, node.level, node)
            scope.bind(alias.asname or alias.name, Binding(imported, node.lineno, guard=guard))
