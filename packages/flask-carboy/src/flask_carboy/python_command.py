"""Commands that are Python programs of this very environment, run inside this process."""

import os
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from typing import Callable, List, Optional, Sequence

Run = Callable[[], object]

# Options of the interpreter that change nothing here; with any other the command gets an interpreter of its own.
_HARMLESS = frozenset(("-u", "-B"))


def find(words: Sequence[str]) -> Optional[Run]:
    """What runs the command `words` here, or None where another program must."""
    path = shutil.which(words[0])
    if path is None:
        return None
    if _is_this_python(path):
        return _interpreter(list(words[1:]))
    if _is_script_of_this_python(path):
        return lambda: _run_script(path, words[1:], [])
    return None


def _interpreter(words: List[str]) -> Optional[Run]:
    while words and words[0] in _HARMLESS:
        words.pop(0)
    if not words:
        return None
    first, rest = words[0], words[1:]
    if first == "-m" and rest:
        return lambda: _run_module(rest[0], rest[1:])
    if first == "-c" and rest:
        return lambda: _run_code(rest[0], rest[1:])
    if first.startswith("-") or not Path(first).is_file():
        return None
    return lambda: _run_script(first, rest, [str(Path(first).resolve().parent)])


def _run_module(name: str, arguments: Sequence[str]) -> object:
    sys.argv = [name, *arguments]
    sys.path.insert(0, str(Path.cwd()))
    return runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_script(path: str, arguments: Sequence[str], import_paths: List[str]) -> object:
    sys.argv = [path, *arguments]
    sys.path[:0] = import_paths
    return runpy.run_path(path, run_name="__main__")


def _run_code(code: str, arguments: Sequence[str]) -> object:
    sys.argv = ["-c", *arguments]
    sys.path.insert(0, "")
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102 - python -c
    return None


def _is_this_python(path: str) -> bool:
    # Two environments may share one interpreter: the folder tells them apart, not the file behind the link.
    program = Path(path)
    return program.name.startswith("python") and _same_folder(program.parent, Path(sys.executable).parent)


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_script_of_this_python(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            head = file.read(1024)
    except OSError:
        return False
    if b"\n'''exec' \"$(dirname -- " in head:  # a relocatable environment: the interpreter lies beside the script
        return _same_folder(Path(path).resolve().parent, Path(sys.executable).parent)
    interpreter = _interpreter_of(head)
    return interpreter is not None and _is_this_python(interpreter)


def _interpreter_of(head: bytes) -> Optional[str]:
    lines = head.decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].startswith("#!"):
        return None
    try:
        words = shlex.split(lines[0][2:])
        if len(lines) > 1 and lines[1].startswith("'''exec'"):
            words = shlex.split(lines[1])[1:]  # how installers write a path too long for the first line
    except ValueError:
        return None
    if not words:
        return None
    if os.path.basename(words[0]) == "env" and len(words) > 1:  # noqa: PTH119 - a word, not a path of this machine
        return shutil.which(words[1])
    return words[0]
