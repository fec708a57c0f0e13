"""The rules of tests/conftest.py, seen from outside: a small suite is run under them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.sources import ROOT

pytestmark = pytest.mark.system

SETTINGS = """
[pytest]
addopts = -ra -p no:randomly -p no:cacheprovider --import-mode=importlib --strict-markers
markers =
    system: real
    internet: far
    cluster: large
    long: slow
    needs(tool): wants
"""

ONE_OF_EACH = """
import pytest
def test_plain(): pass
@pytest.mark.internet
def test_far(): pass
@pytest.mark.cluster
def test_large(): pass
@pytest.mark.needs("no-such-program")
def test_wanting(): pass
"""

SKIPS_BY_ITSELF = """
import pytest
@pytest.mark.system
def test_real(): pytest.skip("no second Python here")
def test_plain(): pytest.skip("not on this system")
@pytest.mark.system
@pytest.mark.xfail
def test_expected(): assert False
"""

LEAVES_A_PROCESS = """
import subprocess, sys, pytest
@pytest.mark.system
def test_careless(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], cwd=tmp_path, start_new_session=True, env={ENVIRONMENT}
    )
    (tmp_path.parent / "pid").write_text(str(child.pid))
    child.returncode = 0  # forgotten: no warning of an unfinished child either
@pytest.mark.system
def test_tidy(): pass
"""

KEEPS_A_SERVER = """
import subprocess, sys, pytest
@pytest.fixture(scope="module")
def server():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield child
    child.kill()
    child.wait()
@pytest.mark.system
def test_uses(server): assert server.poll() is None
@pytest.mark.system
def test_uses_again(server): assert server.poll() is None
"""


def run_suite(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in `folder` with our conftest as a plugin."""
    (folder / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "CARBOY_NO_SKIP"}
    environment |= {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
    base = folder / "base"
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", f"--basetemp={base}", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


def write_test(folder: Path, text: str, name: str = "tests/system/test_it.py") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_missing_tool_is_named(tmp_path: Path) -> None:
    """A test that needs a program which is not here is skipped with its name."""
    write_test(tmp_path, ONE_OF_EACH)
    done = run_suite(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "missing here: no-such-program" in done.stdout
    assert "1 passed, 1 skipped, 2 deselected" in done.stdout


def test_a_missing_tool_fails_in_ci(tmp_path: Path) -> None:
    """Under CARBOY_NO_SKIP=1 a missing program is a failure."""
    write_test(tmp_path, ONE_OF_EACH)
    done = run_suite(tmp_path, CARBOY_NO_SKIP="1")
    assert done.returncode == 1
    assert "missing here: no-such-program (and CARBOY_NO_SKIP=1)" in done.stdout


def test_what_is_left_out_is_said_and_can_be_asked_for(tmp_path: Path) -> None:
    """Tests of the internet and of a cluster are deselected, shown as such, and run on request."""
    write_test(tmp_path, ONE_OF_EACH)
    plain = run_suite(tmp_path)
    assert "deselected by default: 1 internet (run them with --also internet)" in plain.stdout
    assert "deselected by default: 1 cluster (run them with --also cluster)" in plain.stdout
    assert "2 passed" in run_suite(tmp_path, "--also", "internet").stdout
    assert "1 passed" in run_suite(tmp_path, "-m", "cluster").stdout


def test_no_real_test_is_skipped_in_ci(tmp_path: Path) -> None:
    """Nor may a system test skip by itself then; quick tests and expected failures are left alone."""
    write_test(tmp_path, SKIPS_BY_ITSELF)
    assert "2 skipped, 1 xfailed" in run_suite(tmp_path).stdout
    done = run_suite(tmp_path, CARBOY_NO_SKIP="1")
    assert "1 failed, 1 skipped, 1 xfailed" in done.stdout
    assert "no second Python here (and CARBOY_NO_SKIP=1)" in done.stdout


@pytest.mark.parametrize("environment", ["None", "{}"], ids=["inherited", "cleared"])
def test_a_process_left_behind_fails_the_test_and_is_ended(tmp_path: Path, environment: str) -> None:
    """Even one in a session and an environment of its own is found, told and killed; the next test is not blamed."""
    write_test(tmp_path, LEAVES_A_PROCESS.replace("{ENVIRONMENT}", environment))
    done = run_suite(tmp_path)
    assert done.returncode == 1
    assert re.search(r"left behind:\s+\d+: .*time.sleep", done.stdout)
    assert "2 passed, 1 error" in done.stdout
    assert not psutil.pid_exists(int((tmp_path / "base" / "pid").read_text(encoding="utf-8")))


def test_a_wider_fixture_may_keep_a_server(tmp_path: Path) -> None:
    """A server of a module's fixture belongs to no single test."""
    write_test(tmp_path, KEEPS_A_SERVER)
    assert "2 passed" in run_suite(tmp_path).stdout


def test_quick_tests_run_first(tmp_path: Path) -> None:
    """Unit, contract, architecture, then the real things, whatever the alphabet says."""
    for folder in ("system", "unit", "architecture", "contract"):
        write_test(tmp_path, f"def test_{folder}(): pass\n", f"tests/{folder}/test_{folder}.py")
    order = re.findall(r"::test_(\w+) PASSED", run_suite(tmp_path, "-v").stdout)
    assert order == ["unit", "contract", "architecture", "system"]


def test_shards_part_the_suite(tmp_path: Path) -> None:
    """Every test falls into exactly one shard, and always into the same."""
    write_test(tmp_path, "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_it(n): pass\n")
    parts = [
        re.findall(r"test_it\[(\d+)\] PASSED", run_suite(tmp_path, "-v", "--shard", f"{i}/3").stdout) for i in (1, 2, 3)
    ]
    assert all(parts)
    assert sorted(int(number) for part in parts for number in part) == list(range(20))
    again = re.findall(r"test_it\[(\d+)\] PASSED", run_suite(tmp_path, "-v", "--shard", "2/3").stdout)
    assert again == parts[1]


@pytest.mark.parametrize(("shard", "code"), [("1/1", 0), ("0/3", 4), ("4/3", 4), ("half", 4)])
def test_a_shard_must_make_sense(tmp_path: Path, shard: str, code: int) -> None:
    """I/N with I from 1 to N, or pytest's code for usage."""
    write_test(tmp_path, "def test_it(): pass\n")
    assert run_suite(tmp_path, "--shard", shard).returncode == code


def test_an_empty_shard_is_no_failure(tmp_path: Path) -> None:
    """One test in eight parts leaves seven empty ones, and they pass."""
    write_test(tmp_path, "def test_it(): pass\n")
    codes = {run_suite(tmp_path, "-q", "--shard", f"{part}/4").returncode for part in range(1, 5)}
    assert codes == {0}
