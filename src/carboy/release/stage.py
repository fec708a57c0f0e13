"""Stage: an immutable copy of the project, and the things that outlive it linked in."""

import fnmatch
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from carboy.errors import Failed

# Never part of a release. Secrets stay where they are: the app gets them through its environment.
LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".carboy", "__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
     ".ruff_cache", ".idea", ".vscode", ".DS_Store"}
)  # fmt: skip
LEFT_OUT_PATTERNS = (".env", ".env.*", "*.pyc")
KEPT_PATTERNS = (".env.example", ".env.sample", ".env.template", ".env.dist")
MOST_ENTRIES = 200_000


def project_entries(top: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files and symlinks of a release with their POSIX paths, folder by folder; symlinks are not followed."""
    pending = [""]
    seen = 0
    while pending:
        folder = pending.pop()
        with os.scandir(top / folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        for entry in ordered:
            seen += 1
            if seen > MOST_ENTRIES:
                raise Failed(f"more than {MOST_ENTRIES} files", where=str(top), hint="is this the project's folder?")
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_left_out(entry):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                yield path, entry


def is_left_out(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name in LEFT_OUT:
        return True
    if any(fnmatch.fnmatch(name, p) for p in LEFT_OUT_PATTERNS) and name not in KEPT_PATTERNS:
        return not entry.is_dir(follow_symlinks=False)
    return entry.is_dir(follow_symlinks=False) and Path(entry.path, "pyvenv.cfg").is_file()


def fingerprint(top: Path, *extra: str) -> str:
    """A digest of names, sizes and times of every file of the project, `.env` files included, and of `extra`.

    Times and sizes, not contents: it is asked at every `up`, and a file saved again unchanged costs one full `up`.
    """
    digest = hashlib.sha256()
    for path, entry in project_entries(top):
        facts = entry.stat(follow_symlinks=False)
        digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    for environment in sorted(top.glob(".env*")):
        if environment.is_file():
            facts = environment.stat()
            digest.update(f"{environment.name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    for text in extra:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()


def copy_source(project: Path, target: Path) -> int:
    """Copy the project to `target`, which must not exist yet; the number of files. Raises Failed on a full disk."""
    count = 0
    try:
        target.mkdir(parents=True)
        for path, entry in project_entries(project):
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if entry.is_symlink():
                _copy_link(project, Path(entry.path), place)
            else:
                shutil.copy2(entry.path, place)
            count += 1
    except OSError as fault:
        raise Failed(
            f"the project cannot be copied: {fault.strerror}",
            where=str(fault.filename2 or fault.filename or target),
            hint="is the disk full, or a file not readable?",
        ) from fault
    return count


def _copy_link(project: Path, link: Path, place: Path) -> None:
    """A link inside the project stays one; a link out of it becomes what it points at, where that is a file."""
    text = link.readlink()
    try:
        goal = link.resolve()
        inside = goal.is_relative_to(project.resolve()) and not text.is_absolute()
    except (OSError, RuntimeError):  # a loop
        return
    if inside:
        place.symlink_to(text)
    elif goal.is_file():
        shutil.copy2(goal, place)


def link_shared(source: Path, shared: Path, paths: tuple[str, ...]) -> list[str]:
    """Move what outlives a release out of `source` into `shared` and link it back; what was linked.

    A project may bring a first version (a sample database, an empty uploads folder): it seeds `shared` once.
    """
    linked = []
    for path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise Failed("leaves the project", where=f"app.shared: {path}", hint="name a path inside the project")
        inside, outside = source / pure, shared / pure
        outside.parent.mkdir(parents=True, exist_ok=True)
        inside.parent.mkdir(parents=True, exist_ok=True)
        _seed(inside, outside, is_file=_looks_like_a_file(pure))
        inside.symlink_to(outside)
        linked.append(path)
    return linked


def _seed(inside: Path, outside: Path, *, is_file: bool) -> None:
    if inside.exists() and not inside.is_symlink() and not outside.exists():
        shutil.move(inside, outside)
    elif inside.is_dir() and not inside.is_symlink():
        shutil.rmtree(inside)
    else:
        inside.unlink(missing_ok=True)
    if not is_file and not outside.exists():
        outside.mkdir(parents=True)


def _looks_like_a_file(path: PurePosixPath) -> bool:
    """A name with an ending is a file that the app makes itself; any other is a folder."""
    return bool(path.suffix)
