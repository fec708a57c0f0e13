"""A copy of a project that may be run, written to and thrown away."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from carboy.inspection.index import SKIPPED_FOLDERS

MOST_BYTES = 500_000_000
LARGEST_FILE = 50_000_000  # a larger one is data: it is left out, its place stays empty
MOST_FILES = 50_000


@contextlib.contextmanager
def throwaway_copy(project: Path) -> Iterator[Path]:
    """A copy of `project` for the time of the block: without version control, environments, packages and caches.

    Bounded in files and bytes; links that lead out of the project or nowhere, sockets and devices are left out.
    """
    place = Path(tempfile.mkdtemp(prefix="carboy-probe-"))
    try:
        # Its name stays: projects find themselves by the name of their folder.
        copy = place / "copy" / (project.resolve().name or "project")
        _copy(project.resolve(), copy)
        yield copy
    finally:
        _remove(place)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Files below `folder` with size and time of change, so that two looks show what was written between them."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(OSError):  # removed meanwhile, or not to be read: not written by the app
                state = path.lstat()
                found[path.relative_to(folder).as_posix()] = (state.st_size, state.st_mtime_ns)
    return found


def _copy(project: Path, copy: Path) -> None:
    copy.mkdir(parents=True)
    files = total = 0
    for place, folders, names in os.walk(project):
        here = Path(place)
        folders[:] = [name for name in folders if _belongs(here / name, project)]
        target = copy / here.relative_to(project)
        for name in folders:
            (target / name).mkdir(exist_ok=True)
        for name in names:
            size = _copy_file(here / name, target / name, project)
            files, total = files + 1, total + size
            if files >= MOST_FILES or total >= MOST_BYTES:
                return


def _belongs(folder: Path, project: Path) -> bool:
    if folder.name in SKIPPED_FOLDERS or (folder / "pyvenv.cfg").exists():
        return False
    # A link to a folder is not walked into: it could lead round in a circle.
    return not folder.is_symlink() or _link_inside(folder, project)


def _copy_file(file: Path, target: Path, project: Path) -> int:
    try:
        if file.is_symlink() and not _link_inside(file, project):
            return 0
        if not file.is_file():
            return 0
        size = file.stat().st_size
        if size > LARGEST_FILE:
            return 0
        shutil.copy2(file, target)
    except OSError:  # not to be read by this user: the app could not read it either
        return 0
    return size


def _link_inside(path: Path, project: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(project)
    except (OSError, RuntimeError):  # it leads nowhere, or round in a circle
        return False


def _remove(place: Path) -> None:
    def make_writable_and_retry(function: object, path: str, _fault: object) -> None:
        with contextlib.suppress(OSError):  # what cannot be removed stays in the system's temporary folder
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            if callable(function):
                function(path)

    shutil.rmtree(place, onerror=make_writable_and_retry)
