"""What pyproject.toml, setup.cfg and setup.py ask for, read where they say it plainly."""

import ast
import configparser
import os
import re
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from carboy.errors import Failed
from carboy.release.poetry_words import requirement_lines
from carboy.release.requirement_files import Wanted, logical_lines, normalized, read_requirements, read_text

Table = dict[str, Any]
_OWN_METADATA = re.compile(
    r"(?:\bversion|\bdistribution|\bmetadata|get_distribution|\brequires?|files)\(\s*(?:['\"]([\w.-]+)['\"]|__name__|__package__)"
)
MOST_FILES = 2000
_NOT_SOURCES = frozenset({"site-packages", "node_modules", "tests", "venv", "env", "docs", "static", "__pycache__"})


def read_pyproject(file: Path) -> Table:
    """The file's table; empty where it is missing. Raises Failed where it is no TOML."""
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as fault:
        hint = "mend it, or set app.source to another file"
        raise Failed(f"cannot be read: {fault}", where=file.name, hint=hint) from None


def read_project(file: Path) -> Wanted:
    """The dependencies of a project by its pyproject.toml, setup.cfg or setup.py, without building it if possible."""
    folder = file.parent
    names = ("pyproject.toml", "setup.cfg", "setup.py")
    wanted = Wanted(texts=[read_text(folder / name) for name in names if (folder / name).is_file()])
    project = read_pyproject(folder / "pyproject.toml")
    lines = project_lines(folder, project)
    if not lines and "poetry" in project.get("tool", {}):
        own = project["tool"]["poetry"].get("dependencies", {})
        lines = [
            line for name, value in own.items() if name.lower() != "python" for line in requirement_lines(name, value)
        ]
    lines = lines or _from_setup_cfg(folder) or _from_setup_py(folder)
    wanted.lines += lines
    if not lines and (folder / "setup.py").is_file() and _computes_requirements(folder / "setup.py"):
        wanted.metadata = folder / "setup.py"
    return wanted


def project_lines(folder: Path, project: Table) -> list[str]:
    """`[project] dependencies`, or the files that setuptools is told to take them from."""
    table = project.get("project", {})
    if table.get("dependencies"):
        return [str(line) for line in table["dependencies"]]
    dynamic = project.get("tool", {}).get("setuptools", {}).get("dynamic", {}).get("dependencies", {})
    files = dynamic.get("file", []) if isinstance(dynamic, dict) else []
    lines: list[str] = []
    for name in [files] if isinstance(files, str) else files:
        if (folder / name).is_file():
            lines += read_requirements(folder / name, folder).lines
    return lines


def name_to_install(root: Path, folder: Path, command: str | None) -> str:
    """The project's name where it must be installed itself, else "".

    It must where it looks up its own metadata, registers commands with Flask, or `command` is a program of it.
    """
    project = read_pyproject(folder / "pyproject.toml")
    name, scripts = _identity(folder, project)
    if not name:
        return ""
    if command and command.split() and command.split()[0] in scripts:
        return name
    if project.get("project", {}).get("entry-points", {}).get("flask.commands"):
        return name
    own = normalized(name)
    return name if any(_looks_up(file, own) for file in islice(_sources(root), MOST_FILES)) else ""


def _sources(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES and not name.startswith(".")]
        yield from (Path(place, name) for name in names if name.endswith(".py") and name != "setup.py")


def _looks_up(file: Path, own: str) -> bool:
    try:
        text = file.read_text("utf-8", "replace") if file.stat().st_size < 500_000 else ""
    except OSError:
        return False
    if "importlib.metadata" not in text and "importlib_metadata" not in text and "pkg_resources" not in text:
        return False
    return any(not found or normalized(found) == own for found in _OWN_METADATA.findall(text))


def _identity(folder: Path, project: Table) -> tuple[str, set[str]]:
    """The project's name and the programs it declares."""
    table, poetry = project.get("project", {}), project.get("tool", {}).get("poetry", {})
    scripts = {*table.get("scripts", {}), *poetry.get("scripts", {})}
    name = str(table.get("name") or poetry.get("name") or "")
    if not name and (folder / "setup.cfg").is_file():
        config = _setup_cfg(folder)
        name = config.get("metadata", "name", fallback="")
        scripts |= set(
            re.findall(r"^\s*([\w.-]+)\s*=", config.get("options.entry_points", "console_scripts", fallback=""), re.M)
        )
    if not name and (folder / "setup.py").is_file():
        text = read_text(folder / "setup.py")
        match = re.search(r"\bname\s*=\s*['\"]([\w.-]+)['\"]", text)
        name = match[1] if match else ""
        scripts |= set(re.findall(r"['\"]\s*([\w.-]+)\s*=\s*[\w.]+:[\w.]+\s*['\"]", text))
    return name, scripts


def _from_setup_cfg(folder: Path) -> list[str]:
    if not (folder / "setup.cfg").is_file():
        return []
    value = _setup_cfg(folder).get("options", "install_requires", fallback="")
    if match := re.match(r"^\s*file:\s*(.+)$", value):
        files = [folder / name.strip() for name in match[1].split(",")]
        return [line for file in files if file.is_file() for line in read_requirements(file, folder).lines]
    return logical_lines(value)


def _setup_cfg(folder: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(read_text(folder / "setup.cfg"))
    except configparser.Error:  # a file that only linters read may be anything
        return configparser.ConfigParser()
    return config


def _from_setup_py(folder: Path) -> list[str]:
    """`install_requires` where it is a list of literals, written in the call or bound to a name before."""
    tree = _setup_tree(folder / "setup.py")
    if tree is None:
        return []
    bound = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    value = _install_requires(tree)
    value = bound.get(value.id, value) if isinstance(value, ast.Name) else value
    try:
        found = ast.literal_eval(value) if value is not None else []
    except ValueError:
        return []
    return [str(line) for line in found] if isinstance(found, (list, tuple)) else logical_lines(str(found))


def _computes_requirements(file: Path) -> bool:
    tree = _setup_tree(file)
    return tree is None or _install_requires(tree) is not None


def _install_requires(tree: ast.Module) -> ast.expr | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "install_requires":
                    return keyword.value
    return None


def _setup_tree(file: Path) -> ast.Module | None:
    if not file.is_file():
        return None
    try:
        return ast.parse(read_text(file))
    except (SyntaxError, ValueError):
        return None
