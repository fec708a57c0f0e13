"""Which promise of docs/requirements.md is held by which test, and which is not yet.

Asks pytest itself: the tests are collected, nothing is run, and the marks `requirement("D1", "D2")` are read.
"""

import contextlib
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| (?P<promise>.+?) \| ?(?P<note>\w*) ?\|$")


@dataclass(frozen=True)
class Promise:
    """One row of the list; `emulated` where the real service cannot be had."""

    id: str
    text: str
    emulated: bool


def promises(text: str) -> list[Promise]:
    """The rows of docs/requirements.md, in their order."""
    rows = [ROW.match(line) for line in text.splitlines()]
    return [Promise(row["id"], row["promise"], row["note"] == "emulated") for row in rows if row]


class Marks:
    """A plugin that notes the marks of every collected test, also of those that a plain run leaves out."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, None]] = defaultdict(dict)  # in order, each test once

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            test = item.nodeid.partition("[")[0]
            for mark in item.iter_markers("requirement"):
                self.found_by(test, mark.args)

    def found_by(self, test: str, identifiers: tuple[object, ...]) -> None:
        for identifier in identifiers:
            self.found[str(identifier)][test] = None


def holders(folder: Path) -> dict[str, list[str]]:
    """The tests that hold each id, as `file::test`."""
    marks = Marks()
    words = ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--rootdir={folder}", str(folder)]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(words, plugins=[marks])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"{told.getvalue()}\nerror: the tests could not be collected (pytest ended with {int(code)})")
    return {identifier: list(tests) for identifier, tests in marks.found.items()}


def report(rows: list[Promise], held: dict[str, list[str]]) -> Iterator[str]:
    """The lines for people, by group; only a test among the system tests runs the real thing."""
    real = {name for name, tests in held.items() if any(test.startswith("tests/system/") for test in tests)}
    groups = (
        ("held", [row for row in rows if row.id in real and not row.emulated]),
        ("emulated", [row for row in rows if row.id in real and row.emulated]),
        ("in part, by quick tests alone", [row for row in rows if row.id in held and row.id not in real]),
        ("not yet", [row for row in rows if row.id not in held]),
    )
    for title, members in groups:
        yield f"{title}: {len(members)} of {len(rows)}"
        for row in members:
            yield f"  {row.id:4} {row.text}"
            yield from (f"         {test}" for test in held.get(row.id, []))
        yield ""
    unknown = sorted(set(held) - {row.id for row in rows})
    yield from (f"unknown id {name}: {', '.join(held[name])}" for name in unknown)


def main() -> int:
    rows = promises((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    held = holders(ROOT)
    print("\n".join(report(rows, held)))
    return 1 if set(held) - {row.id for row in rows} else 0


if __name__ == "__main__":
    sys.exit(main())
