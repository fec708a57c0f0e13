"""The log stream's file: order, rotation, damaged lines, a full disk."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from carboy.targets.local.logbook import LONGEST_LINE, Logbook, entry, read_entries

pytestmark = pytest.mark.requirement("L3")


@contextmanager
def book(path: Path, *, max_bytes: int = 1_000_000) -> Iterator[Logbook]:
    made = Logbook(path, max_bytes=max_bytes, keep=2)
    yield made
    made.close()


def line(text: str) -> dict[str, object]:
    return entry("web", 1, 3, "out", text, now=1.5)


def test_entries_come_back_in_order_over_rotation(tmp_path: Path) -> None:
    """The newest lines are kept, in order, in as many files as were asked for."""
    with book(tmp_path / "log", max_bytes=400) as made:
        for number in range(40):
            made.write(line(str(number)))
    kept = [int(item["line"]) for item in read_entries(tmp_path / "log")]
    assert kept == list(range(kept[0], 40))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]


def test_a_line_cut_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    """Half a line, or a line of another kind, hides nothing of the rest."""
    with book(tmp_path / "log") as made:
        made.write(line("first"))
        with (tmp_path / "log").open("a") as stream:
            stream.write('{"time": 1, "li\n[1, 2]\nnull\n')
        made.write(line("second"))
    assert [item["line"] for item in read_entries(tmp_path / "log")] == ["first", "second"]


def test_an_endless_line_is_cut_and_says_so(tmp_path: Path) -> None:
    """One line cannot fill the disk."""
    assert entry("web", 1, 3, "out", "x" * (LONGEST_LINE + 7))["line"].endswith("[7 characters cut]")


def test_odd_characters_survive(tmp_path: Path) -> None:
    """Line breaks inside, lone surrogates and other alphabets neither break a line nor the reader."""
    with book(tmp_path / "log") as made:
        for text in ("你好", "a\r\nb", "\ud800", "\x00\x1b[31m"):
            made.write(line(text))
    found = [item["line"] for item in read_entries(tmp_path / "log")]
    assert found[:2] == ["你好", "a\r\nb"]
    assert len(found) == 4


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    """Writing goes on without an error, and the first line that fits again says how many were lost."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("/dev/full is missing")
    (tmp_path / "log").symlink_to(full)
    with book(tmp_path / "log") as made:
        made.write(line("lost"))
        made.write(line("lost too"))
        assert made.lost == 2
        (tmp_path / "log").unlink()
        made.write(line("kept"))
    told = [json.loads(text)["line"] for text in (tmp_path / "log").read_text().splitlines()]
    assert told == ["2 lines before this one could not be written: is the disk full?", "kept"]
