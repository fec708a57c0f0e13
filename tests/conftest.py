"""What every test gets: tools or a reason to skip, an order, shards, deadlines, and no process left behind."""

import hashlib
import os
import re
import uuid
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import leftovers
from tests.support.ports import unused_port
from tools import testbed

ORDER = ("unit", "contract", "architecture", "cases", "goldens")  # anything else, the slow parts, comes after
DESELECTED = ("cluster", "internet", "long")
SYSTEM_TIMEOUT = 600
SESSION = pytest.StashKey[str]()
LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("carboy")
    group.addoption("--shard", metavar="I/N", help="run the I-th of N parts; a test always falls into the same one")
    group.addoption(
        "--also", action="append", default=[], choices=DESELECTED, help="run tests that are deselected by default"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SESSION] = os.environ[leftovers.MARKER] = uuid.uuid4().hex
    config.stash[LEFT_OUT] = Counter()


# ---- which tests, and in which order ----


def shard_of(node: str, shards: int) -> int:
    """The part, counted from 1, that a test falls into: by its name alone, so that others may come and go."""
    return int.from_bytes(hashlib.sha256(node.encode()).digest()[:8]) % shards + 1


def parse_shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise pytest.UsageError(f"--shard {text}: wanted I/N with I from 1 to N, such as 2/8")
    return int(found[1]), int(found[2])


def rank(item: pytest.Item) -> int:
    tests = item.config.rootpath / "tests"
    folder = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


def left_out_by(item: pytest.Item, config: pytest.Config) -> str | None:
    """The marker that keeps a test out of a run which did not ask for it."""
    asked = {*config.getoption("--also"), *re.findall(r"\w+", config.option.markexpr)}
    return next((name for name in DESELECTED if name not in asked and item.get_closest_marker(name)), None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    shard = config.getoption("--shard")
    part, parts = parse_shard(shard) if shard else (1, 1)
    chosen: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        marker = left_out_by(item, config)
        config.stash[LEFT_OUT].update([marker] if marker else [])
        (chosen if not marker and shard_of(item.nodeid, parts) == part else dropped).append(item)
        if item.get_closest_marker("system") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SYSTEM_TIMEOUT))
    config.hook.pytest_deselected(items=dropped)
    items[:] = sorted(chosen, key=rank)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A shard may be empty."""
    if session.config.getoption("--shard") and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for name, count in sorted(config.stash[LEFT_OUT].items()):
        terminalreporter.write_line(f"deselected by default: {count} {name} (run them with --also {name})")


# ---- what a test needs ----


def pytest_runtest_setup(item: pytest.Item) -> None:
    absent = testbed.missing(str(name) for marker in item.iter_markers("needs") for name in marker.args)
    if absent:
        pytest.skip(f"missing here: {', '.join(absent)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CARBOY_NO_SKIP=1 a test that could not look at the real thing has failed, whoever skipped it."""
    report = yield
    real = item.get_closest_marker("system") or item.get_closest_marker("needs")
    if report.skipped and real and not hasattr(report, "wasxfail") and os.environ.get("CARBOY_NO_SKIP") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{reason.removeprefix('Skipped: ')} (and CARBOY_NO_SKIP=1)"
    return report


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    return unused_port()


# ---- nothing is left behind ----


def _running(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> set[psutil.Process]:
    return leftovers.of_this_session(config.stash[SESSION], Path(tmp_path_factory.getbasetemp()))


@pytest.fixture(autouse=True)
def nothing_left_behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[None, None, None]:
    """A system test that leaves a process behind fails, and the process is ended.

    Fixtures of a wider scope are set up before this one, so what they started counts as there before.
    """
    if not request.node.get_closest_marker("system"):
        yield
        return
    before = _running(request.config, tmp_path_factory)
    yield
    after = _running(request.config, tmp_path_factory) - before
    _end(after)


@pytest.fixture(scope="session", autouse=True)
def nothing_left_at_the_end(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[None, None, None]:
    """Nor does the session leave one, by a fixture of a module or by a test that is not marked."""
    yield
    _end(_running(request.config, tmp_path_factory))


def _end(processes: set[psutil.Process]) -> None:
    left = leftovers.still_there(processes)
    if left:
        described = list(leftovers.names(left))
        leftovers.reap(left)
        pytest.fail("left behind:\n  " + "\n  ".join(described), pytrace=False)
