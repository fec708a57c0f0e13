"""Lock files of Poetry, PDM and Pipenv, read without their programs.

What the project asks for directly becomes requirements, and every version in the lock a constraint: the installer
then picks what this machine and this Python need, at exactly the locked versions.
"""

import json
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from carboy.errors import Failed
from carboy.release.poetry_words import requirement_lines
from carboy.release.project_files import project_lines, read_pyproject
from carboy.release.requirement_files import Wanted, normalized, read_text

Table = dict[str, Any]


def read_poetry(file: Path) -> Wanted:
    """`poetry.lock` beside `file` where it is, else the ranges of pyproject.toml."""
    folder = file.parent
    project = read_pyproject(folder / "pyproject.toml")
    wanted = Wanted(texts=_texts(folder / "pyproject.toml", folder / "poetry.lock"))
    lock = _toml(folder / "poetry.lock")
    packages: list[Table] = lock.get("package", [])
    pinned = {normalized(str(package.get("name", ""))) for package in packages}
    own = project.get("tool", {}).get("poetry", {}).get("dependencies", {})
    if not own:
        wanted.lines += project_lines(folder, project)
    for name, value in own.items():
        if name.lower() == "python":
            continue
        for line in requirement_lines(name, _unranged(value) if normalized(name) in pinned else value):
            wanted.lines.append(_absolute(line, folder))
    _pin(wanted, [package for package in packages if package.get("category", "main") == "main"])
    wanted.lines[:0] = _indexes(packages)
    if not packages:
        wanted.note("there is no poetry.lock: versions are chosen anew within pyproject.toml's ranges")
    return wanted


def read_pdm(file: Path) -> Wanted:
    """`pdm.lock` beside `file` where it is, else the ranges of pyproject.toml."""
    folder = file.parent
    wanted = Wanted(texts=_texts(folder / "pyproject.toml", folder / "pdm.lock"))
    wanted.lines += project_lines(folder, read_pyproject(folder / "pyproject.toml"))
    packages = _toml(folder / "pdm.lock").get("package", [])
    _pin(wanted, [package for package in packages if "default" in package.get("groups", ["default"])])
    if not packages:
        wanted.note("there is no pdm.lock: versions are chosen anew within pyproject.toml's ranges")
    return wanted


def read_pipenv(file: Path) -> Wanted:
    """`Pipfile.lock` beside `file` where it is, else the Pipfile."""
    folder = file.parent
    wanted = Wanted(texts=_texts(folder / "Pipfile", folder / "Pipfile.lock"))
    if (folder / "Pipfile.lock").exists():
        try:
            lock = json.loads(read_text(folder / "Pipfile.lock"))
        except ValueError as fault:
            raise _unreadable("Pipfile.lock", str(fault)) from None
        packages, sources = lock.get("default", {}), lock.get("_meta", {}).get("sources", [])
    else:
        table = _toml(folder / "Pipfile")
        packages, sources = table.get("packages", {}), table.get("source", [])
        wanted.note("there is no Pipfile.lock: versions are chosen anew within the Pipfile's ranges")
    for name, value in packages.items():
        wanted.lines += [_absolute(line, folder) for line in _pipenv_lines(name, value)]
    wanted.lines[:0] = [f"--extra-index-url {address}" for source in sources if (address := _foreign_index(source))]
    return wanted


def _pipenv_lines(name: str, value: Any) -> list[str]:
    table: Table = dict(value) if isinstance(value, dict) else {"version": str(value)}
    if "ref" in table:
        table["rev"] = table.pop("ref")
    if "file" in table:
        table["url"] = table.pop("file")
    return list(requirement_lines(name, table))


def _unranged(value: Any) -> Any:
    """A locked dependency without its range: the lock has decided, in a notation that needs no translation."""
    if isinstance(value, list):
        return [_unranged(entry) for entry in value]
    return {**value, "version": "*"} if isinstance(value, dict) else "*"


def _pin(wanted: Wanted, packages: list[Table]) -> None:
    versions: dict[str, list[Table]] = defaultdict(list)
    for package in packages:
        if package.get("source", {}).get("type") not in ("git", "directory", "file", "url"):
            versions[str(package.get("name"))].append(package)
    for name, locked in versions.items():
        if len(locked) == 1:
            wanted.constraints.append(f"{name}=={locked[0].get('version')}")
            continue
        for package in locked:  # one version for each kind of machine: the markers say which
            if marker := _lock_marker(package):
                wanted.constraints.append(f"{name}=={package.get('version')} ; {marker}")


def _lock_marker(package: Table) -> str:
    marker = package.get("markers") or package.get("marker") or ""
    if isinstance(marker, dict):  # one for each group: that of the production's
        marker = marker.get("main", "")
    return str(marker)


def _indexes(packages: list[Table]) -> list[str]:
    sources = (package.get("source", {}) for package in packages)
    addresses = [source.get("url") for source in sources if source.get("type") == "legacy"]
    return [f"--extra-index-url {address}" for address in dict.fromkeys(addresses) if address]


def _foreign_index(source: Table) -> str:
    address = str(source.get("url", ""))
    return "" if "pypi.org/simple" in address or "pypi.python.org" in address else address


def _absolute(line: str, folder: Path) -> str:
    return str((folder / line).resolve()) if line.startswith(("./", "../")) else line


def _toml(file: Path) -> Table:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as fault:
        raise _unreadable(file.name, str(fault)) from None


def _texts(*files: Path) -> list[str]:
    return [read_text(file) for file in files if file.is_file()]


def _unreadable(name: str, reason: str) -> Failed:
    return Failed(f"cannot be read: {reason}", where=name, hint="make the lock anew, or set app.source to another file")
