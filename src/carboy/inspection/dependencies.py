"""Where production's dependencies come from."""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from carboy.inspection.declared import (
    Declared,
    from_conda,
    from_pipfile,
    from_pyproject,
    from_setup_cfg,
    from_setup_py,
)
from carboy.inspection.imports_used import infer_requirements
from carboy.inspection.index import Index
from carboy.inspection.requirements_files import read_requirements
from carboy.model.facts import DependenciesFact, Place, Requirement

_PRODUCTION = ("prod", "production", "prd", "live", "deploy", "deployment", "server", "release")
_PLAIN = ("requirements", "requirement", "reqs", "req", "pip-requirements", "requires", "requirments", "dependencies")
_HOSTED = ("docker", "heroku", "web", "app", "main", "backend")
_BASE = ("base", "common", "core", "default", "shared")
_LEFT = frozenset({
    "dev", "develop", "development", "test", "tests", "testing", "ci", "lint", "docs", "doc", "local", "staging",
    "format", "optional", "extra", "extras", "tools", "build", "style", "typing", "debug",
})  # fmt: skip
_FRAMEWORK = re.compile(r"^(flask|flask-.*|apiflask|quart|connexion|dash|.*-flask|flask2.*|flaskr?)$")
_PACKAGED = (("pyproject.toml", from_pyproject), ("setup.py", from_setup_py), ("setup.cfg", from_setup_cfg))
_RECIPES = ("Dockerfile", "Dockerfile.prod", "Dockerfile.production", "render.yaml", "fly.toml", "build.sh", "app.yaml")
_CONDA = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
_SUBFOLDERS = ("requirements", "reqs", "requires", "deploy", "docker", "install", "deps", "dependencies", "config")


def find_dependencies(index: Index, folder: str = "") -> DependenciesFact:
    """The file that installs production's set, and what it names.

    `folder` is the app's: the dependency file nearest to it wins. Without any file the requirements are what the
    code imports, and the manager is "none".
    """
    for place in [*_upwards(folder), *_elsewhere(index, folder)]:
        chosen = _chosen(index, [each for each in _declarations(index, place) if _serves_flask(each)])
        if chosen:
            return _fact(chosen)
    leftover = [each for place in _upwards(folder) for each in _declarations(index, place) if each.requirements]
    if leftover:
        return _fact(leftover[0])
    requirements = infer_requirements(index, folder)
    return DependenciesFact(None, "none", (), requirements, tuple(r.evidence[0] for r in requirements[:3]))


def _fact(chosen: Declared) -> DependenciesFact:
    return DependenciesFact(
        chosen.source, chosen.manager, tuple(dict.fromkeys(chosen.files)), chosen.requirements, (Place(chosen.source),)
    )


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _elsewhere(index: Index, folder: str) -> list[str]:
    """Folders that are no parents of the app's: those inside it first, then shallow ones."""
    known = set(_upwards(folder))
    others = [place for place in index.folders if place not in known and place.count("/") < 3]
    return sorted(others, key=lambda place: (not place.startswith(folder), place.count("/"), place))


def _serves_flask(declared: Declared) -> bool:
    return any(_FRAMEWORK.match(requirement.name) for requirement in declared.requirements)


def _declarations(index: Index, folder: str) -> list[Declared]:
    """What one folder declares, best first."""
    prefix = f"{folder}/" if folder else ""
    readers: tuple[tuple[str, Callable[[Index, str], Declared | None]], ...] = (
        ("pyproject.toml", from_pyproject),
        ("Pipfile", from_pipfile),
        ("setup.py", from_setup_py),
        ("setup.cfg", from_setup_cfg),
        *((name, from_conda) for name in _CONDA),
    )
    found = [read(index, prefix + name) for name, read in readers if index.has(prefix + name)]
    declared = [each for each in found if each is not None]
    files = [_requirements(index, path) for path in _requirements_paths(index, folder)]
    locked = [each for each in declared if each.locked]
    return [*locked, *files, *(each for each in declared if not each.locked)]


def _requirements(index: Index, path: str) -> Declared:
    parsed = read_requirements(index, path)
    found, files = list(parsed.requirements), list(parsed.files)
    if parsed.itself:
        known = {requirement.name for requirement in found}
        own = _own_project(index, posixpath.dirname(path))
        found += [r for r in own.requirements if r.name not in known] if own else []
        files += own.files if own else ()
    return Declared(path, "pip", tuple(files), tuple(found))


def _own_project(index: Index, folder: str) -> Declared | None:
    """The project that `-e .` of a requirements file installs."""
    for place in (folder, posixpath.dirname(folder)):
        prefix = f"{place}/" if place else ""
        for name, read in (
            ("pyproject.toml", from_pyproject),
            ("setup.py", from_setup_py),
            ("setup.cfg", from_setup_cfg),
        ):
            found = read(index, prefix + name) if index.has(prefix + name) else None
            if found and found.requirements:
                return found
    return None


def _requirements_paths(index: Index, folder: str) -> list[str]:
    """Requirements files that belong to a folder, production's first; those for development never."""
    prefix = f"{folder}/" if folder else ""
    places = [folder, *(f"{prefix}{name}" for name in _SUBFOLDERS)]
    ranked = []
    for path in (path for place in places for path in index.by_folder.get(place, ())):
        if path.endswith((".txt", ".in", ".pip", ".lock")):
            rank = _rank(path, path.rpartition("/")[0] != folder)
            if rank is not None:
                ranked.append((rank, path.endswith(".in"), path))
    return [path for _, _, path in sorted(ranked)]


def _rank(path: str, in_subfolder: bool) -> int | None:
    """How likely a requirements file is production's: 0 is best, None is not at all."""
    pure = PurePosixPath(path)
    words = [word for word in re.split(r"[^a-z]+", pure.name.rsplit(".", 1)[0].lower()) if word]
    about = in_subfolder and pure.parent.name in {"requirements", "reqs", "requires"}
    named = any(word in _PLAIN for word in words)
    if not named and not about:
        return None
    rest = [word for word in words if word not in _PLAIN and word not in {"pip", "py", "python", "txt", "lock"}]
    for rank, group in enumerate((_PRODUCTION, (), _HOSTED, _BASE)):
        if rank == 1 and not rest:
            return 1
        if rest and all(word in group for word in rest):
            return rank
    return None if any(word in _LEFT for word in rest) else 5


def _chosen(index: Index, usable: list[Declared]) -> Declared | None:
    """One of several in the same folder: the one that the project's own recipes install, else the best."""
    if len(usable) < 2:
        return usable[0] if usable else None
    recipe = _recipe(index)
    for each in usable:
        if each.manager != "pip" and re.search(_INSTALLED_BY.get(each.manager, "(?!)"), recipe):
            return each
        if each.manager == "pip" and re.search(rf"(?:-r|--requirement)[\s=]*\S*{re.escape(each.source)}\b", recipe):
            return each
    return usable[0]


_INSTALLED_BY = {
    "uv": r"\buv (sync|export)\b",
    "poetry": r"\bpoetry (install|export|sync)\b",
    "pdm": r"\bpdm (install|sync|export)\b",
    "pipenv": r"\bpipenv (install|sync|requirements)\b",
    "conda": r"\b(conda|mamba|micromamba) (env )?(create|update|install)\b",
}


def _recipe(index: Index) -> str:
    """What the project's container or platform files say, without comments."""
    found = [index.text(path) or "" for path in index.named(*_RECIPES) if path.count("/") < 3]
    return re.sub(r"(?m)^\s*#.*$", "", "\n".join(found))


def spec_of(dependencies: DependenciesFact, name: str) -> Requirement | None:
    """The requirement of a distribution, by its normalised name."""
    return next((requirement for requirement in dependencies.requirements if requirement.name == name), None)
