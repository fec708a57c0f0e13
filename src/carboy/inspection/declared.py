"""Dependencies declared in pyproject.toml, Pipfile, setup.py, setup.cfg and conda's environment files."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carboy.inspection.code import assigned, constant_text, keyword
from carboy.inspection.documents import ini_of, table, toml_of
from carboy.inspection.index import Index, Module
from carboy.inspection.requirements_files import (
    LONGEST,
    logical_lines,
    masked,
    normal_name,
    parse_requirement,
    read_requirements,
)
from carboy.model.facts import Manager, Place, Requirement

_LOCKS: dict[str, Manager] = {"uv.lock": "uv", "poetry.lock": "poetry", "pdm.lock": "pdm"}
_PRODUCTION_GROUPS = ("prod", "production", "main", "app", "web", "server", "deploy")


@dataclass(frozen=True)
class Declared:
    """What one declaration installs, from which file, by which tool."""

    source: str
    manager: Manager
    files: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    locked: bool = False


def texts(value: Any) -> list[str]:
    """The strings of a list; empty where something else stands there."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def from_pyproject(index: Index, path: str) -> Declared | None:
    """[project], Poetry's tables of either age, and PEP 735 groups where the project names nothing else."""
    data = toml_of(index, path)
    project, poetry = table(data, "project"), table(data, "tool", "poetry")
    place = _Lines(index, path)
    found = [*_written(texts(project.get("dependencies")), place), *_poetry(poetry, place)]
    dynamic = _dynamic_files(data, path)
    for file in dynamic:
        found += read_requirements(index, file).requirements
    if not found:
        found = list(_groups(table(data, "dependency-groups"), place))
    if not found and not project and not poetry:
        return None
    folder = path.removesuffix("pyproject.toml")
    lock = next((name for name in _LOCKS if index.has(folder + name)), None)
    manager = _LOCKS[lock] if lock else _manager(data)
    files = (path, *dynamic, *((folder + lock,) if lock else ()))
    return Declared(folder + lock if lock else path, manager, files, _unique(found), lock is not None)


def _manager(data: Mapping[str, Any]) -> Manager:
    tools, backend = table(data, "tool"), str(table(data, "build-system").get("build-backend", ""))
    if table(tools, "poetry").get("dependencies") or "poetry" in backend:
        return "poetry"
    for name in ("uv", "pdm"):
        if name in tools or backend.startswith(name):
            return "uv" if name == "uv" else "pdm"
    return "setuptools" if backend.startswith("setuptools") else "pip"


def _dynamic_files(data: Mapping[str, Any], path: str) -> list[str]:
    declared = table(data, "tool", "setuptools", "dynamic", "dependencies").get("file")
    names = [declared] if isinstance(declared, str) else texts(declared)
    names += texts(table(data, "tool", "hatch", "metadata", "hooks", "requirements_txt").get("files"))
    return [path.removesuffix("pyproject.toml") + name for name in names]


class _Lines:
    """Places in a file by the text that is looked for."""

    def __init__(self, index: Index, path: str) -> None:
        self.path = path
        self.lines = index.lines(path)

    def of(self, text: str) -> Place:
        return Place(self.path, next((number for number, line in enumerate(self.lines, 1) if text in line), None))


def _written(items: list[str], lines: _Lines) -> Iterator[Requirement]:
    for item in items:
        requirement = parse_requirement(item, lines.of(item.split(";")[0].strip()))
        if requirement:
            yield requirement


def _poetry(poetry: Mapping[str, Any], lines: _Lines) -> Iterator[Requirement]:
    entries = dict(table(poetry, "dependencies"))
    for group in _PRODUCTION_GROUPS:
        entries |= table(poetry, "group", group, "dependencies")
    yield from named(entries, lines)


def named(entries: Mapping[str, Any], lines: _Lines) -> Iterator[Requirement]:
    """`name = "spec"` and `name = {version = "spec", ...}` of Poetry and Pipfile; optional ones are left out."""
    for name, entry in entries.items():
        if name.lower() == "python" or (isinstance(entry, Mapping) and entry.get("optional") is True):
            continue
        first = entry[0] if isinstance(entry, list) and entry else entry
        yield Requirement(normal_name(name), _entry_spec(first), (lines.of(name),))


def _entry_spec(entry: Any) -> str:
    if isinstance(entry, Mapping):
        address = next((entry[key] for key in ("git", "url", "path", "file") if key in entry), None)
        entry = f"@ {masked(str(address))}" if address else entry.get("version", "")
    if not isinstance(entry, str) or entry in {"*", ""} or len(entry) > LONGEST:
        return ""
    return entry.strip()


def _groups(groups: Mapping[str, Any], lines: _Lines) -> Iterator[Requirement]:
    for name in _PRODUCTION_GROUPS:
        yield from _group(groups, name, lines, ())


def _group(groups: Mapping[str, Any], name: str, lines: _Lines, seen: tuple[str, ...]) -> Iterator[Requirement]:
    items = groups.get(name)
    yield from _written(texts(items), lines)
    for item in items if isinstance(items, list) and name not in seen else ():
        included = item.get("include-group") if isinstance(item, Mapping) else None
        if isinstance(included, str):
            yield from _group(groups, included, lines, (*seen, name))


def from_pipfile(index: Index, path: str) -> Declared | None:
    """A Pipfile with its lock, where there is one."""
    packages = table(toml_of(index, path), "packages")
    if not packages:
        return None
    lock = f"{path}.lock"
    found = _unique(named(packages, _Lines(index, path)))
    files = (path, lock) if index.has(lock) else (path,)
    return Declared(files[-1], "pipenv", files, found, index.has(lock))


def from_setup_cfg(index: Index, path: str) -> Declared | None:
    """`install_requires` of setup.cfg."""
    value = ini_of(index, path).get("options", "install_requires", fallback="") or ""
    lines = _Lines(index, path)
    if value.strip().startswith("file:"):
        file = path.removesuffix("setup.cfg") + value.strip().removeprefix("file:").strip()
        parsed = read_requirements(index, file)
        return Declared(path, "setuptools", (path, *parsed.files), tuple(parsed.requirements))
    found = _unique(_written([item for _, item in logical_lines(value)], lines))
    return Declared(path, "setuptools", (path,), found) if found else None


def from_setup_py(index: Index, path: str) -> Declared | None:
    """`install_requires` of setup.py, by its syntax tree: a list, a name for one, or lines of a requirements file."""
    module = index.module(path)
    if module is None or module.tree is None:
        return None
    values = [keyword(call, "install_requires") for call in module.of(ast.Call)]
    value = next((value for value in values if value is not None), None)
    if value is None:
        return None
    items = [(constant_text(part), Place(path, part.lineno)) for part in _list_items(value, module, 0)]
    if items:
        found = [parse_requirement(text, place) for text, place in items if text]
        return Declared(path, "setuptools", (path,), _unique(item for item in found if item))
    folder = path.removesuffix("setup.py")
    opened = [constant_text(node) or "" for node in module.of(ast.Constant)]
    file = next((folder + text for text in opened if text.endswith(".txt") and index.has(folder + text)), None)
    parsed = read_requirements(index, file) if file else None
    return Declared(path, "setuptools", (path, *parsed.files), tuple(parsed.requirements)) if parsed else None


def _list_items(node: ast.expr, module: Module, deep: int) -> list[ast.expr]:
    """The elements of a list: written out, added together, or assigned to a name."""
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [item for part in parts for item in _list_items(part, module, deep)]
        case ast.Constant():
            return [node]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*_list_items(left, module, deep), *_list_items(right, module, deep)]
        case ast.Starred(value=inner) | ast.Call(func=ast.Name(id="list"), args=[inner]):
            return _list_items(inner, module, deep)
        case ast.Name(id=name) if deep < 4:
            values = [value for step in module.of(ast.Assign) for target, value in assigned(step) if target == name]
            return _list_items(values[0], module, deep + 1) if values else []
    return []


def from_conda(index: Index, path: str) -> Declared | None:
    """The dependencies of a conda environment file, its pip section included, by its lines."""
    found: list[Requirement] = []
    inside, depth = False, -1
    for number, line in enumerate(index.lines(path), 1):
        if re.match(r"^\S", line):
            inside = line.startswith("dependencies:") or (inside and line.startswith("-"))
        item = re.match(r"^(\s*)-\s+[\"']?([^\"'#]+)", line) if inside else None
        if not item:
            continue
        text = item[2].strip()
        if text.rstrip() == "pip:":
            depth = len(item[1])
            continue
        found += _conda_item(text, Place(path, number), in_pip=0 <= depth < len(item[1]))
    return Declared(path, "conda", (path,), _unique(found)) if found else None


def _conda_item(text: str, place: Place, *, in_pip: bool) -> list[Requirement]:
    if not in_pip:
        text = re.sub(r"^[\w-]+::", "", text)
        text = re.sub(r"^([\w.-]+)\s*=\s*([\w.]+)(=\S+)?$", r"\1==\2", text)
    requirement = parse_requirement(text, place) if not text.startswith("-") else None
    if requirement is None or requirement.name in {"python", "pip", "nodejs"}:
        return []
    return [requirement]


def _unique(found: Any) -> tuple[Requirement, ...]:
    unique: dict[str, Requirement] = {}
    for requirement in found:
        unique.setdefault(requirement.name, requirement)
    return tuple(unique.values())
