"""The tools that prepare a machine: testbed, lock and environment."""

import datetime
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import ROOT
from tools import environment, lock, testbed

HIDES_ENSUREPIP = """
import importlib.util, sys
from pathlib import Path
sys.modules["ensurepip"] = None
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "ensurepip" else real(name, *rest)
sys.path.insert(0, sys.argv[1])
from tools import environment
folder = Path(sys.argv[2])
environment.make_environment(folder)
environment.make_environment(folder)
"""


def test_an_environment_is_made_without_ensurepip(tmp_path: Path) -> None:
    """Debian's Python has no ensurepip unless another package is installed; a second call keeps what is there."""
    folder = tmp_path / "environment"
    words = [sys.executable, "-c", HIDES_ENSUREPIP, str(ROOT), str(folder)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    done = subprocess.run([environment.python_of(folder), "-c", "import pip"], capture_output=True, text=True)
    assert "No module named 'pip'" in done.stderr


def test_a_moved_environment_is_made_anew(tmp_path: Path) -> None:
    """A folder whose Python does not start is replaced, not trusted."""
    python = environment.python_of(tmp_path / "environment")
    python.parent.mkdir(parents=True)
    python.write_text("no program\n", encoding="utf-8")
    python.chmod(0o755)
    environment.make_environment(tmp_path / "environment")
    assert subprocess.run([python, "-c", "print(1)"], capture_output=True, text=True).stdout == "1\n"


def test_a_missing_tool_is_told_from_a_present_one() -> None:
    """Names of the table stand for their programs, other names for themselves."""
    assert testbed.missing(["no-such-program"]) == ["no-such-program"]
    assert testbed.is_present(Path(sys.executable).name) or not testbed.missing(["sh"])


@pytest.mark.parametrize("name", sorted(testbed.TOOLS))
def test_every_tool_says_why(name: str) -> None:
    """The table names programs and a reason for each tool."""
    assert testbed.TOOLS[name].programs
    assert testbed.TOOLS[name].why


@pytest.mark.parametrize("name", lock.LOCKS)
def test_a_lock_holds_hashes_and_no_address(name: str) -> None:
    """Every line that names a version is followed by its hashes; no index is written down."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pinned = [block for block in text.split("\n") if "==" in block and not block.startswith(" ")]
    assert pinned
    assert all(line.endswith("\\") for line in pinned)
    assert "index-url" not in text
    assert "find-links" not in text


def test_locking_is_cooled_and_for_every_system() -> None:
    """The command asks for hashes, all systems, the oldest Python and no address."""
    words = lock.compile_command("dev", datetime.date(2026, 11, 14), upgrade=True)
    for word in ("--generate-hashes", "--universal", "--no-emit-index-url", "--upgrade"):
        assert word in words
    assert words[words.index("--exclude-newer") + 1] == "2026-11-14"
    assert words[words.index("--python-version") + 1] == "3.11"


def test_every_tool_that_a_test_needs_has_a_row() -> None:
    """`needs("x")` names a row of the table, so that `make test` can install it or say why it is wanted."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'mark\.needs\("([^"]+)"\)', text)}
    assert named - {"no-such-program"} <= set(testbed.TOOLS)
