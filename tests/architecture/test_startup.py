"""What a fresh process loads: `carboy --help` is quick, and every module can be imported on Windows."""

import subprocess
import sys

import pytest

from tests.support.sources import TOOL, sources

LOADED = """
import sys
before = {name.partition(".")[0] for name in sys.modules}
sys.argv = ["carboy", *sys.argv[1:]]
from carboy.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
tops = {name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)
print(*sorted(tops), file=sys.stderr)
"""

# Windows has none of these; the words of os that fork or ask for users are missing there too.
WINDOWS = """
import importlib, os, sys
absent = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "spwd", "crypt", "readline"}
class Windows:
    def find_spec(self, name, path=None, target=None):
        if name in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
import asyncio, subprocess, multiprocessing, psutil, tempfile, pathlib, shutil  # of the library itself: not our concern
for name in absent:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Windows())
for word in ("fork", "forkpty", "getuid", "geteuid", "getgid", "setsid", "killpg", "chown", "mkfifo"):
    if hasattr(os, word):
        delattr(os, word)
faults = []
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except (ImportError, AttributeError) as fault:
        faults.append(f"{name}: {fault}")
print("\\n".join(faults))
"""


def fresh(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_loads_click_and_nothing_else(word: str) -> None:
    """The commands are listed without loading the libraries that the commands need."""
    done = fresh(LOADED, word)
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == ["carboy", "click"]


@pytest.mark.requirement("U5")
def test_every_module_imports_where_unix_is_missing() -> None:
    """Nothing of Unix is needed at import: reading and checking work on Windows."""
    names = [source.name for source in sources(TOOL) if not source.name.endswith("__main__")]
    done = fresh(WINDOWS, *names)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
