"""The shape of the code: absolute imports, sizes, no swallowed errors, nothing of the workplace."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.sources import EXTENSION, ROOT, TOOL, Source, sources

LONGEST_FUNCTION = 60
LONGEST_MODULE = 400
# Modules beyond 400 lines, each with its reason.
LONG_MODULES = {
    "src/carboy/inspection/probe_child.py": "runs in the app's own Python, which can import nothing else of ours",
}

PRODUCT = (*sources(TOOL), *sources(EXTENSION))
LOCKS = re.compile(r"(requirements[^/]*\.txt|requirements/.*|constraints[^/]*\.txt|\.lock|pip\.conf|uv\.toml)$")
# Written in two parts, so that this file passes its own test.
WORKPLACE = re.compile(r"(?<![\w./-])/(?:" + r"work|root)/\w")


@pytest.mark.parametrize("source", PRODUCT, ids=lambda source: source.name)
def test_imports_are_absolute(source: Source) -> None:
    """A dotted import would hide which part is meant."""
    relative = [node.lineno for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == []


@pytest.mark.parametrize("source", PRODUCT, ids=lambda source: source.name)
def test_modules_and_functions_are_short(source: Source) -> None:
    """No function over 60 lines; no module over 400 without a reason."""
    functions = [node for node in ast.walk(source.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    sizes = {f"{source.file}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert source.text.count("\n") <= LONGEST_MODULE or source.file in LONG_MODULES


@pytest.mark.parametrize("source", PRODUCT, ids=lambda source: source.name)
def test_nothing_is_swallowed_or_left_undone(source: Source) -> None:
    """No handler that only passes, no shell, no stub, no note to ourselves."""
    nodes = [node for node in ast.walk(source.tree) if is_swallowed(node) or is_shell(node)]
    found = [f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)[:80]}" for node in nodes]
    found += re.findall(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplementedError)\b", source.text)
    assert found == []


def is_swallowed(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass)


def is_shell(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return any(word.arg == "shell" and getattr(word.value, "value", False) is True for word in node.keywords)


def test_no_module_is_a_drawer() -> None:
    """Names lead to files: nothing is called utils, helpers or common."""
    names = [source.file for source in PRODUCT if Path(source.file).stem in {"utils", "util", "helpers", "common"}]
    assert names == []


def test_the_list_of_long_modules_is_true() -> None:
    """A reason goes when the module has become short."""
    long = {source.file for source in PRODUCT if source.text.count("\n") > LONGEST_MODULE}
    assert set(LONG_MODULES) <= long


def committed() -> list[Path]:
    """The files that git keeps or would keep; without git, those of the folders that are ours."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    names = answer.stdout.splitlines() if answer.returncode == 0 else []
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.mark.needs("git")
def test_no_file_names_the_workplace() -> None:
    """No committed file holds a path of the machine it was written on, nor a lock the address of an index."""
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        name = path.relative_to(ROOT).as_posix()
        addresses = LOCKS.search(name) and not name.startswith("tests/")
        for number, line in enumerate(text.splitlines(), 1):
            if WORKPLACE.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
            if addresses and re.search(r"https?://", line) and not line.lstrip().startswith("#"):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert found == []
