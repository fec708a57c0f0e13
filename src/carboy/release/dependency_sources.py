"""What each dependency manager's files ask for, as requirement and constraint lines."""

from collections.abc import Callable
from pathlib import Path

from carboy.errors import Failed
from carboy.model.plan import App
from carboy.release.conda_files import read_conda
from carboy.release.lock_files import read_pdm, read_pipenv, read_poetry
from carboy.release.project_files import name_to_install, read_project
from carboy.release.requirement_files import Wanted, read_requirements, read_text


def read_wanted(root: Path, app: App) -> Wanted:
    """What `app.source` of the project in `root` asks for, read by the rules of `app.manager`."""
    if app.source is None or app.manager == "none":
        return Wanted()
    file = root / app.source
    if not file.is_file():
        raise Failed("is not there", where=app.source, hint="set app.source to the file that lists the dependencies")
    wanted = _read(file, root, app.manager)
    if name := name_to_install(root, file.parent, app.command):
        wanted.project, wanted.project_name = file.parent, name
        wanted.texts += [read_text(file.parent / name) for name in _METADATA if (file.parent / name).is_file()]
    return wanted


_METADATA = ("pyproject.toml", "setup.cfg", "setup.py")


def _read_uv(file: Path) -> Wanted:
    lock = file.with_name("uv.lock")
    if not lock.is_file():
        return read_project(file)
    project = file.with_name("pyproject.toml")
    return Wanted(texts=[read_text(lock), read_text(project) if project.is_file() else ""], export=lock)


_READERS: dict[str, Callable[[Path], Wanted]] = {
    "uv": _read_uv,
    "poetry": read_poetry,
    "pdm": read_pdm,
    "pipenv": read_pipenv,
    "setuptools": read_project,
    "conda": read_conda,
}


def _read(file: Path, root: Path, manager: str) -> Wanted:
    # A plan edited by hand may name a requirements file and leave the manager as it was.
    if file.suffix in (".txt", ".in") or (manager == "pip" and file.name not in _METADATA):
        return read_requirements(file, root)
    if manager == "pip":  # a project's own metadata, whatever builds it
        return read_project(file)
    return _READERS[manager](file)
