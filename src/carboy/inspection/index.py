"""One index of a project: which files there are, and the syntax trees of its Python files, each read at most once."""

import ast
import gc
import os
import re
import sys
import tokenize
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar, cast

# Folders that never hold the project's own code. Virtual environments are found by their pyvenv.cfg as well.
SKIPPED_FOLDERS = frozenset(
    {
        ".carboy",
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".idea",
        ".vscode",
        "__pycache__",
        "node_modules",
        "bower_components",
        "site-packages",
        ".venv",
        "venv",
        ".env.d",
        ".eggs",
    }
)  # fmt: skip  (a list reads better packed)
MOST_FILES = 50_000
LARGEST_SOURCE = 2_000_000  # bytes: a larger Python file is data in disguise
LARGEST_TEXT = 4_000_000
DEEPEST_TREE = 600  # levels; finders take up to eight calls for each
PARSER_RECURSION = 1000  # the interpreter's default: with more the parser itself could overflow the stack

T = TypeVar("T")


Node = TypeVar("Node", bound=ast.AST)
# Names, constants and the parts without a place are four of five nodes, and few finders ask for them.
_LEAVES = frozenset({ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal})
_PASSED_OVER = _LEAVES | {
    *(str, int, bool, type(None)),
    *(kind for family in (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
      for kind in family.__subclasses__()),
}  # fmt: skip
_NAMES_PASSED_OVER = _PASSED_OVER - {ast.Constant}
_BARE_FIELDS = frozenset({"ctx", "op", "ops", "id", "attr", "type_comment", "lineno"})


@dataclass(frozen=True)
class Module:
    """One Python file. `tree` is None where it could not be parsed, and `problem` says why."""

    path: str
    text: str
    tree: ast.Module | None
    problem: str | None = None
    problem_line: int | None = None
    branches: list[ast.AST] = field(default_factory=list, repr=False, compare=False)

    @cached_property
    def _buckets(self) -> dict[type[ast.AST], list[ast.AST]]:
        """The nodes that have children, by type, breadth first: walked once and shared by every finder."""
        buckets: defaultdict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        for node in self.branches:
            buckets[node.__class__].append(node)
        return dict(buckets)

    @cached_property
    def _leaves(self) -> dict[type[ast.AST], list[ast.AST]]:
        leaves: defaultdict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        for node in ast.walk(self.tree) if self.tree else ():
            if node.__class__ in _LEAVES:
                leaves[node.__class__].append(node)
        return dict(leaves)

    def of(self, kind: type[Node]) -> list[Node]:
        """The nodes of exactly this type: what to use instead of walking, which costs most of an inspection."""
        buckets = self._leaves if kind in _LEAVES else self._buckets
        return cast("list[Node]", buckets.get(kind, []))


@dataclass
class Index:
    """The files of one project. Paths are POSIX and relative to `root`; reading never leaves it."""

    root: Path
    files: tuple[str, ...]
    truncated: bool = False
    _texts: dict[str, str | None] = field(default_factory=dict, repr=False)
    _modules: dict[str, Module | None] = field(default_factory=dict, repr=False)
    _derived: dict[object, object] = field(default_factory=dict, repr=False)

    def derived(self, make: "Callable[[Index], T]") -> T:
        """What `make` reads out of this index: made once, then shared by every finder that asks."""
        if make not in self._derived:
            self._derived[make] = make(self)
        return cast(T, self._derived[make])

    def forget(self) -> None:
        """Let go of all that was read: what was derived refers to itself, and the collector takes long to free it."""
        for derived in self._derived.values():
            getattr(derived, "__dict__", {}).clear()
        for read in (self._derived, self._modules, self._texts):
            read.clear()
        self.__dict__.pop("_all_modules", None)

    @cached_property
    def file_set(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def by_folder(self) -> dict[str, list[str]]:
        """The files that lie directly in each folder; a folder that only holds folders has none."""
        found: dict[str, list[str]] = {"": []}
        for file in self.files:
            folder = file.rpartition("/")[0]
            if folder not in found:
                found[folder] = []
                while folder := folder.rpartition("/")[0]:
                    found.setdefault(folder, [])
            found[file.rpartition("/")[0]].append(file)
        return found

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, parents included; the root is ""."""
        return frozenset(self.by_folder)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for file in self.files:
            found[file.rpartition("/")[2]].append(file)
        return dict(found)

    def has(self, path: str) -> bool:
        return path in self.file_set

    def glob(self, pattern: str) -> list[str]:
        """Files whose path matches, in order. `*` crosses folders: pass `requirements*.txt` with care."""
        matches = re.compile(translate(pattern)).match
        return [file for file in self.files if matches(file)]

    def named(self, *names: str) -> list[str]:
        """Files with one of these base names, shallow ones first."""
        found = [file for name in dict.fromkeys(names) for file in self._by_name.get(name, ())]
        return sorted(found, key=lambda file: (file.count("/"), file))

    def text(self, path: str) -> str | None:
        """The file's text, or None where it is missing, too large or not text at all."""
        if path not in self._texts:
            self._texts[path] = _read_text(self.root / path) if path in self.file_set else None
        return self._texts[path]

    def lines(self, path: str) -> list[str]:
        return (self.text(path) or "").splitlines()

    def module(self, path: str) -> Module | None:
        """The parsed file, or None where there is no such Python file."""
        if path not in self._modules:
            self._modules[path] = _read_module(self.root, path) if path in self.file_set else None
        return self._modules[path]

    @cached_property
    def python_files(self) -> tuple[str, ...]:
        return tuple(file for file in self.files if file.endswith(".py"))

    def modules(self) -> Iterator[Module]:
        """Every Python file, in the order of `files`."""
        return iter(self._all_modules)

    @cached_property
    def _all_modules(self) -> tuple[Module, ...]:
        with collector_paused():
            found = [self.module(path) for path in self.python_files]
        return tuple(module for module in found if module is not None)


class _Children(dict[type[ast.AST], tuple[str, ...]]):
    """The names of the fields of a type that can hold nodes."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(name for name in kind._fields if name not in _BARE_FIELDS)
        return self[kind]


_CHILDREN: Final = _Children()


def branching(tree: ast.AST) -> list[ast.AST]:
    """Like ast.walk at a tenth of its price: no generator for each node, and no stop at what has no children."""
    queue: list[ast.AST] = [tree]
    begin = levels = 0
    while begin < len(queue):
        levels += 1
        if levels > DEEPEST_TREE:
            raise RecursionError(f"nested more than {DEEPEST_TREE} deep")
        level, begin = queue[begin:], len(queue)
        for node in level:
            _add_children(node, queue, _PASSED_OVER)
    return queue


def branches_of(node: ast.AST, *, constants: bool = False) -> list[ast.AST]:
    """The children of a node that have children themselves, and its constants where they are asked for."""
    found: list[ast.AST] = []
    _add_children(node, found, _NAMES_PASSED_OVER if constants else _PASSED_OVER)
    return found


def _add_children(node: ast.AST, found: list[ast.AST], passed_over: frozenset[type]) -> None:
    for name in _CHILDREN[node.__class__]:
        value: Any = getattr(node, name, None)
        kind = value.__class__
        if kind is list:
            for item in value:
                if item.__class__ not in passed_over:
                    found.append(item)
        elif kind not in passed_over:
            found.append(value)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Trees are many small objects that all live on: looking for garbage among them doubles the time of reading."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def recursion_limit(calls: int) -> Iterator[None]:
    """Another limit for the time of the block; RecursionError where that many calls are open already."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(calls)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def build_index(root: Path) -> Index:
    """List the project's files: sorted, bounded, following no symlink that leaves the project or loops."""
    top = root.resolve()
    files: list[str] = []
    for file in _walk(top):
        files.append(file)
        if len(files) >= MOST_FILES:
            return Index(top, tuple(sorted(files)), truncated=True)
    return Index(top, tuple(sorted(files)))


def _walk(top: Path) -> Iterator[str]:
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(top / folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if _is_folder(entry):
                if not _is_skipped(entry):
                    pending.append(path)
            elif _is_file(entry, top):
                yield path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_skipped(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    return (
        name in SKIPPED_FOLDERS
        or name.endswith((".egg-info", ".dist-info"))
        or Path(entry.path, "pyvenv.cfg").is_file()
    )


def _is_file(entry: os.DirEntry[str], top: Path) -> bool:
    """Plain files, and symlinks to plain files inside the project: never a device, a pipe or a way out."""
    try:
        if entry.is_file(follow_symlinks=False):
            return True
        return entry.is_symlink() and entry.is_file() and Path(entry.path).resolve().is_relative_to(top)
    except (OSError, RuntimeError):
        return False


def _read_bytes(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError:
        return None
    return None if len(data) > most else data


def _read_text(path: Path) -> str | None:
    data = _read_bytes(path, LARGEST_TEXT)
    if data is None:
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # requirements.txt written by PowerShell
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        return None
    return data.decode("utf-8-sig", errors="replace")


def _read_module(root: Path, path: str) -> Module:
    data = _read_bytes(root / path, LARGEST_SOURCE)
    if data is None:
        return Module(path, "", None, "cannot be read, or is larger than 2 MB")
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as fault:
        return Module(path, data.decode("utf-8", "replace"), None, f"not in the encoding it declares: {fault}")
    return parse_module(path, text)


def parse_module(path: str, text: str) -> Module:
    """Parse a text as a file of the project; a fault is a value."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the user's code are not our news
            with recursion_limit(PARSER_RECURSION):
                tree = ast.parse(text, filename=path)
            return Module(path, text, tree, branches=branching(tree))
    except SyntaxError as fault:
        return Module(path, text, None, fault.msg or "syntax error", fault.lineno)
    except (ValueError, RecursionError, MemoryError) as fault:
        return Module(path, text, None, f"cannot be parsed: {type(fault).__name__}")
