"""Where a file is imported from: its import root, its module name, and the files that its imports mean."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

from carboy.inspection.index import Index
from carboy.inspection.scopes import Imported

_PACKAGED = ("pyproject.toml", "setup.py", "setup.cfg")


class Roots:
    """The import roots of one project, each file's worked out once."""

    def __init__(self, index: Index) -> None:
        self.index = index
        stems = {path.rpartition("/")[2].removesuffix(".py") for path in index.python_files}
        self._own_names = stems | {folder.rpartition("/")[2] for folder in index.folders}
        self.root_of = cache(self._root_of)
        self.find = cache(self._find)

    def module_name(self, path: str, root: str | None = None) -> str:
        """The dotted name of a file, seen from its import root."""
        base = self.root_of(path) if root is None else root
        inside = path[len(base) + 1 :] if base else path
        return inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def working_folder(self, path: str) -> tuple[str, tuple[str, ...]]:
        """The folder to start in and further import paths: `src` of a packaged project is a path, not a home."""
        root = self.root_of(path)
        parent, _, last = root.rpartition("/")
        inside_package = "/" in (path[len(root) + 1 :] if root else path)
        packaged = any(self.index.has(join(parent, name)) for name in _PACKAGED)
        if last in {"src", "lib"} and inside_package and (packaged or parent == ""):
            return parent, (root,)
        return root, ()

    def _root_of(self, path: str) -> str:
        """The ancestor from which most of the file's own imports resolve, else the folder above its packages."""
        usual = self._above_packages(folder_of(path))
        module = self.index.module(path)
        if module is None or module.tree is None:
            return usual
        levels, imported = _imported(module.of(ast.Import), module.of(ast.ImportFrom))
        names = {name for name in imported if self.may_be_own(name)}
        choices = list(_ancestors(folder_of(path)))[levels:] or [""]
        return max(choices, key=lambda root: (self._count(root, names, path), root == usual, len(root)))

    def may_be_own(self, name: str) -> bool:
        """Most imports are of libraries: no file or folder of the project has that name."""
        return name.partition(".")[0] in self._own_names

    def _count(self, root: str, names: set[str], importer: str) -> int:
        return sum(self._resolves(root, name, importer) for name in names)

    def _above_packages(self, folder: str) -> str:
        while folder and self.index.has(f"{folder}/__init__.py"):
            folder = folder_of(folder)
        return folder

    def _resolves(self, root: str, name: str, importer: str) -> bool:
        """Whether an import finds a file under `root`; a folder of that name alone, or the importer itself, is none."""
        found = self.file_at(root, name) or self.file_at(root, name.split(".")[0])
        return found is not None and found != importer

    def file_at(self, root: str, name: str) -> str | None:
        """The file of a dotted module name under `root`."""
        stem = join(root, name.replace(".", "/"))
        for path in (f"{stem}.py", f"{stem}/__init__.py"):
            if self.index.has(path):
                return path
        return None

    def _find(self, name: str, near: str) -> str | None:
        """The file that the absolute import of `name` in the file `near` means, None for what is not the project's."""
        if not self.may_be_own(name):
            return None
        root = self.root_of(near)
        for base in (root, "", "src", *_ancestors(folder_of(near))):
            found = self.file_at(base, name)
            if found and found != near:
                return found
        return None

    def relative(self, near: str, node: ast.ImportFrom) -> str | None:
        """The stem (path without suffix) that a relative import names."""
        folder = folder_of(near)
        for _ in range(node.level - 1):
            folder = folder_of(folder)
        return join(folder, (node.module or "").replace(".", "/")).rstrip("/")

    def stem_file(self, stem: str) -> str | None:
        """The file of a module's path without suffix."""
        return next((path for path in (f"{stem}.py", join(stem, "__init__.py")) if self.index.has(path)), None)

    def file_of(self, file: str, imported: Imported) -> str | None:
        """The project's file that an import statement in `file` reads from."""
        if imported.level and isinstance(imported.node, ast.ImportFrom):
            stem = self.relative(file, imported.node)
            return self.stem_file(stem) if stem is not None else None
        return self.find(imported.module, file)

    def imported_files(self, file: str) -> set[str]:
        """The project's files that importing `file` imports, packages around them included."""
        module = self.index.module(file)
        found: set[str] = set()
        for node in module.of(ast.Import) if module else ():
            found.update(path for alias in node.names if (path := self.find(alias.name, file)))
        for from_node in module.of(ast.ImportFrom) if module else ():
            found.update(self._from_files(file, from_node))
        return found | {above for path in {*found, file} for above in self._packages(path)}

    def _from_files(self, file: str, node: ast.ImportFrom) -> set[str]:
        found: set[str] = set()
        stem = self.relative(file, node) if node.level else None
        base = self.stem_file(stem) if stem is not None else self.find(node.module or "", file)
        found.update({base} if base else ())
        for alias in node.names:
            if stem is not None:
                inner = self.stem_file(join(stem, alias.name))
            else:
                inner = self.find(f"{node.module}.{alias.name}", file)
            found.update({inner} if inner else ())
        return found

    def _packages(self, file: str) -> set[str]:
        found = set()
        folder = file.rpartition("/")[0]
        while folder and self.index.has(f"{folder}/__init__.py"):
            found.add(f"{folder}/__init__.py")
            folder = folder.rpartition("/")[0]
        return found


def roots_of(index: Index) -> Roots:
    """The shared import roots of one index."""
    return index.derived(Roots)


def folder_of(path: str) -> str:
    """The folder that holds a path; "" is the project's root."""
    return path.rpartition("/")[0]


def join(folder: str, name: str) -> str:
    """A path below a folder, where "" is the project's root."""
    return f"{folder}/{name}" if folder else name


def normalise(path: str) -> str | None:
    """A relative path without `.` and `..`; None where it leaves the project."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {".", "/"}:
            parts.append(part)
    return "/".join(parts)


def _ancestors(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder_of(folder)
    yield ""


def _imported(plain: list[ast.Import], from_nodes: list[ast.ImportFrom]) -> tuple[int, set[str]]:
    """The deepest relative level, and the absolute names that are imported."""
    names = {alias.name for node in plain for alias in node.names}
    names |= {node.module for node in from_nodes if not node.level and node.module}
    return max((node.level for node in from_nodes), default=0), names
