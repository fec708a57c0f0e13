"""The extension that travels with the tool: a release gets its own copy, from no package index."""

import shutil
from pathlib import Path

import carboy
from carboy.errors import Failed


def bundled_extension() -> Path:
    """The folder `flask_carboy`: inside the installed tool, or beside it in a checkout."""
    inside = Path(carboy.__file__).parent / "_bundled" / "flask_carboy"
    checkout = Path(carboy.__file__).parents[2] / "packages" / "flask-carboy" / "src" / "flask_carboy"
    for folder in (inside, checkout):
        if folder.is_dir():
            return folder
    raise Failed("the extension is missing from this installation", where=str(inside), hint="install carboy again")


def copy_extension(target: Path) -> None:
    """Put the extension below `target`, which goes onto the app's import path."""
    shutil.copytree(
        bundled_extension(), target / "flask_carboy", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
