"""Output of any size and kind, kept within bounds."""

from io import BytesIO

import pytest

from carboy.remote.output import LONGEST_LINE, KeptLines, LineReader

pytestmark = pytest.mark.requirement("D3")


def read(data: bytes) -> list[str]:
    taken: list[str] = []
    LineReader(BytesIO(data), taken.append).run()
    return taken


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        (b"\n\n", ["", ""]),
        (b"\xff\xfe\n", ["\ufffd\ufffd"]),
        ("größe\n".encode(), ["größe"]),
        (b"10 %\r50 %\r100 %\n", ["100 %"]),
    ],
)
def test_lines_are_told_apart(data: bytes, lines: list[str]) -> None:
    """Line ends of every system, progress bars, and bytes that are no text."""
    assert read(data) == lines


def test_a_character_cut_by_a_chunk_is_whole() -> None:
    """Decoding goes on where the last piece ended."""
    text = "ü" * 200_000
    assert read(f"a{text}\nend\n".encode())[-1] == "end"


def test_a_line_without_an_end_is_cut() -> None:
    """Thirty megabytes without a line end are one short line; the next line is whole."""
    lines = read(b"x" * 30_000_000 + b"\nnext\n")
    assert lines[-1] == "next"
    assert len(lines) == 2
    assert len(lines[0]) <= LONGEST_LINE + 4


def test_the_head_and_the_end_are_kept() -> None:
    """Of a long output the first and last lines stay, with a sentence for the gap."""
    kept = KeptLines(head=2, tail=3)
    for number in range(10):
        kept.add(str(number))
    assert kept.lines() == ("0", "1", "... 5 lines left out ...", "7", "8", "9")


def test_a_short_output_has_no_gap() -> None:
    """Nothing is said to be left out where nothing is."""
    kept = KeptLines(head=2, tail=3)
    for number in range(5):
        kept.add(str(number))
    assert kept.lines() == ("0", "1", "2", "3", "4")
