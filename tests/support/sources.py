"""The syntax trees of the product's modules, and what each of them imports and calls."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "src" / "carboy"
EXTENSION = ROOT / "packages" / "flask-carboy" / "src" / "flask_carboy"


@dataclass(frozen=True)
class Source:
    """One module: `name` is dotted, `file` relative to the repository."""

    name: str
    file: str
    text: str
    tree: ast.Module

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported module with its line, function bodies included; `from a import b` gives `a.b` too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((f"{node.module or ''}.{alias.name}", node.lineno) for alias in node.names)
            elif isinstance(node, ast.Call):
                yield from dynamic_import(node)

    def calls(self) -> Iterator[tuple[str, int]]:
        """Every call by the text of what is called: `open`, `Path.cwd`, `datetime.now`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno


def dynamic_import(node: ast.Call) -> Iterator[tuple[str, int]]:
    """`import_module("a.b")`: a literal name is an import like any other."""
    named = ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}
    if named and node.args and isinstance(node.args[0], ast.Constant):
        yield str(node.args[0].value), node.lineno


@cache
def sources(top: Path) -> tuple[Source, ...]:
    """All modules below a package folder."""
    found = []
    for path in sorted(top.rglob("*.py")):
        words = (top.name, *path.relative_to(top).with_suffix("").parts)
        name = ".".join(words[:-1] if words[-1] == "__init__" else words)
        text = path.read_text(encoding="utf-8")
        found.append(Source(name, path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return tuple(found)
