"""Which of the project's files run in production: what the app's file imports, by statements and by names in texts."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from carboy.inspection.code import Code, Project, argument, constant_text, is_decoy, project_of, settings_files
from carboy.inspection.index import Index
from carboy.model.facts import AppFact


def production_codes(index: Index, app: AppFact) -> list[Code]:
    """The files that run in production: what the app's file imports, and the rest of its package.

    Where no app is known, all of the project's own files.
    """
    return list(index.derived(_Production(app.file)))


@dataclass(frozen=True)
class _Production:
    """Worked out once for each app's file."""

    file: str | None

    def __call__(self, index: Index) -> tuple[Code, ...]:
        project = project_of(index)
        if not self.file or self.file not in project.codes:
            return tuple(project.ours)
        reached = _reached(project, self.file)
        package = _package_of(index, self.file)
        if package:
            inside = (path for path in project.codes if path.startswith(package + "/"))
            reached.update(path for path in inside if not is_decoy(path[len(package) :]))
        return tuple(code for path, code in project.codes.items() if path in reached)


def _package_of(index: Index, path: str) -> str | None:
    """The outermost package that holds a file, None for a plain module."""
    found = None
    for parent in PurePosixPath(path).parents:
        if str(parent) == "." or not index.has(f"{parent}/__init__.py"):
            break
        found = str(parent)
    return found


def _reached(project: Project, start: str) -> set[str]:
    reached = {start}
    pending = [start]
    while pending:
        path = pending.pop()
        for target in _targets(project, path):
            if target not in reached:
                reached.add(target)
                pending.append(target)
    return reached


def _targets(project: Project, path: str) -> Iterator[str]:
    code = project.codes[path]
    yield from (path for path in settings_files(code, project.index) if path in project.codes)
    for head in _object_heads(code):
        yield from (other for other in project.codes if f"/{head}/" in f"/{other}")
    dotted_names = [*code.import_lines, *_object_names(code)]
    for dotted in dotted_names:
        found = project.resolve(dotted, path)
        if found:
            yield found[0]
            yield from _packages_above(project, found[0])


def _packages_above(project: Project, path: str) -> Iterator[str]:
    for parent in PurePosixPath(path).parents:
        candidate = f"{parent}/__init__.py"
        if candidate in project.codes:
            yield candidate


def _object_heads(code: Code) -> Iterator[str]:
    """Folders of modules whose last name is worked out: from_object("settings." + name), f"app.config.{name}"."""
    for call in code.calls_of("from_object", "import_module"):
        if isinstance(call.func, ast.Attribute):
            node = argument(call, 0, "obj", "name")
            first = node.left if isinstance(node, ast.BinOp) else node
            first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else first
            head = constant_text(first) if first is not node or isinstance(node, ast.JoinedStr) else None
            if head and re.fullmatch(r"[\w.]+\.", head):
                yield head.strip(".").replace(".", "/")


def _object_names(code: Code) -> Iterator[str]:
    """Modules named by a string: from_object("config.ProductionConfig"), import_string, import_module."""
    for call in code.calls_of("from_object", "import_string", "import_module", "from_pyfile"):
        text = constant_text(argument(call, 0, "obj", "import_name"))
        if text and re.fullmatch(r"[\w.]+", text):
            yield text.removesuffix(".py") if text.endswith(".py") else text
