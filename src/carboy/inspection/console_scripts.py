"""The console scripts that a project's metadata declares."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.documents import ini_of, table, toml_of
from carboy.inspection.index import Index
from carboy.model.facts import Place


@dataclass(frozen=True)
class Script:
    """A console script: its name, and the function it calls."""

    name: str
    target: str
    place: Place


def scripts_of(index: Index) -> tuple[Script, ...]:
    """The console scripts that the project's metadata declares."""
    return index.derived(_scripts)


def _scripts(index: Index) -> tuple[Script, ...]:
    return (*_pyproject_scripts(index), *_setup_cfg_scripts(index), *_setup_py_scripts(index))


def _pyproject_scripts(index: Index) -> Iterator[Script]:
    data = toml_of(index, "pyproject.toml")
    for scripts in (table(data, "project", "scripts"), table(data, "tool", "poetry", "scripts")):
        for name, target in scripts.items():
            if isinstance(target, str):
                yield Script(
                    name,
                    target,
                    Place("pyproject.toml", _line(index, "pyproject.toml", rf"\s*[\"']?{re.escape(name)}[\"']?\s*=")),
                )


def _setup_cfg_scripts(index: Index) -> Iterator[Script]:
    if not index.has("setup.cfg"):
        return
    written = ini_of(index, "setup.cfg").get("options.entry_points", "console_scripts", fallback="") or ""
    for text in written.splitlines():
        yield from _script_text(index, "setup.cfg", text)


def _setup_py_scripts(index: Index) -> Iterator[Script]:
    module = index.module("setup.py")
    for node in module.of(ast.Constant) if module else ():
        if isinstance(node.value, str) and ":" in node.value:
            for text in node.value.splitlines():
                yield from _script_text(index, "setup.py", text)


def _script_text(index: Index, file: str, text: str) -> Iterator[Script]:
    match = re.fullmatch(r"\s*([\w.-]+)\s*=\s*([\w.]+:[\w.]+)\s*", text)
    if match:
        yield Script(match[1], match[2], Place(file, _line(index, file, rf".*\b{re.escape(match[1])}\s*=")))


def _line(index: Index, file: str, pattern: str) -> int | None:
    found = re.compile(pattern)
    return next((number for number, text in enumerate(index.lines(file), start=1) if found.match(text)), None)
