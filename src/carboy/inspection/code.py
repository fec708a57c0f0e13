"""What the project's Python files define and import: read once from the index, shared by the finders."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from carboy.inspection.index import Index, Module, parse_module
from carboy.model.facts import Place

T = TypeVar("T")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef
DECOY_FOLDERS = frozenset({
    "test", "tests", "testing", "unittests", "functional_tests", "e2e", "example", "examples", "demo", "demos",
    "sample", "samples", "doc", "docs", "docs_src", "benchmark", "benchmarks", "tutorial", "tutorials",
    "cookiecutter", "fixtures",
})  # fmt: skip
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_tests?|tests?|conftest|noxfile|fabfile|setup)\.py$")
_TIERS = (
    ("testing", re.compile(r"(?<![a-z])(unit)?test(ing|s)?(?![a-z])|(?<![a-z])ci(?![a-z])")),
    ("development", re.compile(r"(?<![a-z])(dev|devel|develop|development|local|debug|docker_?dev)(?![a-z])")),
    ("production", re.compile(r"(?<![a-z])(prod|production|heroku|live|deploy|deployment|docker|unix)(?![a-z])")),
    ("staging", re.compile(r"(?<![a-z])(stag(e|ing)|qa|uat|preprod)(?![a-z])")),
)


@dataclass(eq=False)
class Code:
    """One Python file: its definitions, imports and the nodes that finders ask for, grouped once."""

    path: str
    tree: ast.Module
    text: str = field(default="", repr=False)
    definitions: list[Definition] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    assigns: list[ast.Assign | ast.AnnAssign] = field(default_factory=list)
    subscripts: list[ast.Subscript] = field(default_factory=list)
    compares: list[ast.Compare] = field(default_factory=list)
    handlers: list[ast.Try] = field(default_factory=list)
    branches: list[ast.If] = field(default_factory=list)
    asserts: list[ast.Assert] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)  # local name -> dotted name, absolute where it can be told
    import_lines: dict[str, int] = field(default_factory=dict)  # dotted name -> first line
    module_names: dict[str, list[ast.expr]] = field(default_factory=dict)
    main_guards: list[ast.If] = field(default_factory=list)
    _dotted: dict[int, str] = field(default_factory=dict, repr=False)

    def place(self, node: ast.AST | None = None) -> Place:
        return Place(self.path, getattr(node, "lineno", None))

    def dotted(self, node: ast.AST) -> str:
        """The dotted name an expression stands for, imports resolved; "" where it is no plain name."""
        key = id(node)  # nodes live as long as their tree, which this holds
        if key not in self._dotted:
            self._dotted[key] = self._dotted_name(node)
        return self._dotted[key]

    def _dotted_name(self, node: ast.AST) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            parts.append(self.imports.get(node.id, node.id))
        elif parts:
            parts.append("?")
        return ".".join(reversed(parts))

    @cached_property
    def called(self) -> dict[str, list[tuple[int, ast.Call]]]:
        """The calls, numbered, by the last word of what they call; of one word only they are in order."""
        found: dict[str, list[tuple[int, ast.Call]]] = {}
        for number, call in enumerate(self.calls):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else self.dotted(call.func).rpartition(".")[2]
            found.setdefault(name, []).append((number, call))
        return found

    def calls_of(self, *names: str) -> list[ast.Call]:
        """The calls whose dotted name ends with one of these words, in the order of `calls`."""
        found = [each for name in dict.fromkeys(names) for each in self.called.get(name, ())]
        return [call for _, call in sorted(found)] if len(names) > 1 else [call for _, call in found]

    def calls_where(self, wanted: Callable[[str], bool]) -> list[ast.Call]:
        """The calls whose dotted name has a last word that is `wanted`: asked once for each word, not for each call."""
        return self.calls_of(*(name for name in self.called if wanted(name)))

    def mentions(self, *words: str) -> bool:
        """Whether one of these words is in the text at all: asked before looking at a tree."""
        return any(word in self.text for word in words)

    def owners(self, node: ast.AST) -> list[Definition]:
        """The functions and classes around a node, outermost first."""
        line = getattr(node, "lineno", 0)
        return [d for d in self.definitions if d is not node and d.lineno <= line <= (d.end_lineno or d.lineno)]

    def function_of(self, node: ast.AST) -> Function | None:
        inside = [owner for owner in self.owners(node) if not isinstance(owner, ast.ClassDef)]
        return inside[-1] if inside else None

    def in_main_guard(self, node: ast.AST) -> bool:
        line = getattr(node, "lineno", 0)
        return any(guard.lineno <= line <= (guard.end_lineno or 0) for guard in self.main_guards)


@dataclass
class Project:
    """All Python files that parse. `ours` leaves out tests, examples and documentation."""

    index: Index
    codes: dict[str, Code]
    _found: dict[tuple[str, str], str | None] = field(default_factory=dict, repr=False)

    @cached_property
    def ours(self) -> tuple[Code, ...]:
        return tuple(code for path, code in self.codes.items() if not is_decoy(path))

    @cached_property
    def functions_named(self) -> dict[str, list[tuple[Code, Function]]]:
        """Functions and methods of the project's own files by their bare names."""
        found: dict[str, list[tuple[Code, Function]]] = {}
        for code in self.ours:
            for definition in code.definitions:
                if not isinstance(definition, ast.ClassDef):
                    found.setdefault(definition.name, []).append((code, definition))
        return found

    @cached_property
    def calls_named(self) -> dict[str, list[tuple[Code, ast.Call]]]:
        """Calls in the project's own files by the last part of what they call."""
        found: dict[str, list[tuple[Code, ast.Call]]] = {}
        for code in self.ours:
            for name, calls in code.called.items():
                found.setdefault(name, []).extend((code, call) for _, call in calls)
        return found

    def resolve(self, dotted: str, near: str) -> tuple[str, str] | None:
        """The file and the name inside it that a dotted name stands for, looked up from the file `near`."""
        parts = dotted.split(".")
        for count in range(len(parts), 0, -1):
            found = self._file_of("/".join(parts[:count]), near)
            if found:
                return found, ".".join(parts[count:])
        return None

    def _file_of(self, stem: str, near: str) -> str | None:
        folder = near.rpartition("/")[0]
        key = (stem, folder)
        if key not in self._found:
            self._found[key] = self._look_for(stem, folder)
        return self._found[key]

    def _look_for(self, stem: str, folder: str) -> str | None:
        parts = folder.split("/") if folder else []
        for count in range(len(parts), -1, -1):
            base = "".join(f"{part}/" for part in parts[:count])
            for path in (f"{base}{stem}.py", f"{base}{stem}/__init__.py"):
                if path in self.codes:
                    return path
        return next((p for p in (f"src/{stem}.py", f"src/{stem}/__init__.py") if p in self.codes), None)

    def function(self, name: str, near: str) -> tuple[Code, Function] | None:
        """The project's function that a (dotted) name calls, seen from `near`."""
        code = self.codes.get(near)
        local = _function_named(code, name.rsplit(".", 1)[-1]) if code and ("." not in name) else None
        if code and local:
            return code, local
        found = self.resolve(name, near)
        if not found or not found[1]:
            return None
        target = self.codes[found[0]]
        wanted = found[1].rsplit(".", 1)[-1]
        function = _function_named(target, wanted)
        if function:
            return target, function
        onward = target.imports.get(found[1])
        return self.function(onward, found[0]) if onward and onward != name else None


def _function_named(code: Code | None, name: str) -> Function | None:
    for definition in code.definitions if code else ():
        if not isinstance(definition, ast.ClassDef) and definition.name == name:
            return definition
    return None


def read_project(index: Index) -> Project:
    """Summaries of all Python files, in the order of the index."""
    codes: dict[str, Code] = {}
    for module in index.modules():
        if module.tree is not None:
            codes[module.path] = _read_code(module, module.tree)
    for path in dict.fromkeys(path for code in list(codes.values()) for path in settings_files(code, index)):
        text = index.text(path)
        parsed = parse_module(path, text) if text and path not in codes else None
        if parsed and parsed.tree:
            codes[path] = _read_code(parsed, parsed.tree)
    return Project(index, codes)


def settings_files(code: Code, index: Index) -> Iterator[str]:
    """Files that `from_pyfile` reads, whatever they are called: Flask runs them as Python."""
    for call in code.calls_of("from_pyfile"):
        if isinstance(call.func, ast.Attribute):
            text = constant_text(argument(call, 0, "filename"))
            name = PurePosixPath(text or "").name
            found = [path for path in index.named(name) if not path.endswith(".py")] if name else []
            yield from found[:2]


def project_of(index: Index) -> Project:
    """The shared summary of one index."""
    return index.derived(read_project)


@cache
def is_decoy(path: str) -> bool:
    """Whether a file is a test, an example or documentation: no evidence of what production does."""
    folders = path.lower().split("/")[:-1]
    return bool(_TEST_FILE.search(path.lower())) or any(folder in DECOY_FOLDERS for folder in folders)


def tier_of(*names: str) -> str:
    """The tier that names of a class, key or file speak of, "base" where they speak of none."""
    for name in names:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("_", " ")
        for tier, pattern in _TIERS:
            if pattern.search(words):
                return tier
    return "base"


def _read_code(module: Module, tree: ast.Module) -> Code:
    code = Code(
        module.path,
        tree,
        module.text,
        definitions=[*module.of(ast.FunctionDef), *module.of(ast.AsyncFunctionDef), *module.of(ast.ClassDef)],
        calls=list(module.of(ast.Call)),
        assigns=[*module.of(ast.Assign), *module.of(ast.AnnAssign)],
        subscripts=list(module.of(ast.Subscript)),
        compares=list(module.of(ast.Compare)),
        handlers=list(module.of(ast.Try)),
        branches=list(module.of(ast.If)),
        asserts=list(module.of(ast.Assert)),
    )
    for plain in module.of(ast.Import):
        _file_import(code, plain)
    for chosen in module.of(ast.ImportFrom):
        _file_import_from(code, chosen)
    code.definitions.sort(key=lambda definition: (definition.lineno, -(definition.end_lineno or 0)))
    for statement in _top_statements(tree.body):
        if isinstance(statement, ast.If) and is_main_guard(statement):
            code.main_guards.append(statement)
        for name, value in assigned(statement):
            code.module_names.setdefault(name, []).append(value)
    return code


def _file_import(code: Code, node: ast.Import) -> None:
    for alias in node.names:
        code.import_lines.setdefault(alias.name, node.lineno)
        if alias.asname:
            code.imports[alias.asname] = alias.name
        else:
            code.imports[alias.name.split(".")[0]] = alias.name.split(".")[0]


def _file_import_from(code: Code, node: ast.ImportFrom) -> None:
    base = _absolute(code.path, node)
    code.import_lines.setdefault(base, node.lineno)
    for alias in node.names:
        dotted = f"{base}.{alias.name}" if base else alias.name
        code.import_lines.setdefault(dotted, node.lineno)
        code.imports[alias.asname or alias.name] = dotted


def _absolute(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = list(PurePosixPath(path).parts[:-1])
    kept = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
    return ".".join([*kept, *([node.module] if node.module else [])])


def _top_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, branches included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With | ast.For):
            for name in ("body", "orelse", "finalbody"):
                yield from _top_statements(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", []):
                yield from _top_statements(handler.body)


def statements_in(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block and of its branches, without those of inner definitions."""
    return _top_statements(body)


def assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The plain names that a statement assigns, with the expression."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, value
                elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs = zip(target.elts, value.elts, strict=False)
                    yield from ((name.id, part) for name, part in pairs if isinstance(name, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
            yield name, value


def is_main_guard(node: ast.If) -> bool:
    """Whether this is `if __name__ == "__main__":`."""
    match node.test:
        case ast.Compare(left=ast.Name(id="__name__"), comparators=[ast.Constant(value="__main__")]):
            return True
        case ast.Compare(left=ast.Constant(value="__main__"), comparators=[ast.Name(id="__name__")]):
            return True
    return False


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    """The value of the first keyword argument with one of these names."""
    for item in call.keywords:
        if item.arg in names:
            return item.value
    return None


def argument(call: ast.Call, position: int, *names: str) -> ast.expr | None:
    """An argument given by position or by one of these names."""
    if position < len(call.args) and not any(isinstance(arg, ast.Starred) for arg in call.args[: position + 1]):
        return call.args[position]
    return keyword(call, *names)


def constant_text(node: ast.AST | None) -> str | None:
    """The text of a string constant, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A finder's answer for one app: `index.derived` keeps it for the finders that build on it."""

    find: Callable[..., T]
    about: tuple[object, ...]

    def __call__(self, index: Index) -> T:
        return self.find(index, *self.about)
