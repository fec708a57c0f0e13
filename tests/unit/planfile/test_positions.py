"""Where keys stand: the position finder on ugly texts, and against what tomllib reads."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carboy.planfile.positions import positions
from carboy.quoting import toml, toml_key

UGLY = Path(__file__).parents[2] / "cases" / "planfile" / "ugly.toml"


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every path of a parsed document with its value, items of lists by their number."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in inside:
        yield (*path, str(name)), below
        yield from places(below, (*path, str(name)))


@pytest.mark.requirement("U3")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_key_of_an_ugly_file_has_its_line(newline: str) -> None:
    """Quoted and dotted keys, texts over lines, lists, inline tables and repeated headers keep the count."""
    text = UGLY.read_text(encoding="utf-8").replace("\n", newline)
    found = positions(text)
    parsed = tomllib.loads(text)
    numbers = {path: value for path, value in places(parsed) if isinstance(value, int)}
    numbers |= {path: int(value[1:]) for path, value in places(parsed) if str(value).startswith("@")}
    assert len(numbers) > 30
    assert {path: found[path] for path in numbers} == numbers
    assert set(found) == {path for path, _ in places(parsed)}


@pytest.mark.requirement("U3")
def test_a_table_stands_where_its_header_is() -> None:
    """A header counts as the table's line, and for the tables above it that have no header of their own."""
    found = positions("\n[a.b]\nx = 1\n\n[a]\ny = 2\n")
    assert found == {("a",): 2, ("a", "b"): 2, ("a", "b", "x"): 3, ("a", "y"): 6}


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)
scalars = st.one_of(st.integers(-9, 9), st.booleans(), names)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, st.dictionaries(names, values, max_size=3)))
def test_every_path_of_a_text_is_found(top: dict[str, Any], tables: dict[str, dict[str, Any]]) -> None:
    """Whatever the names and values, exactly the paths that tomllib reads have a line, in the order of the text."""
    lines = [f"{toml_key(name)} = {toml(value)}" for name, value in top.items() if name not in tables]
    for table, entries in tables.items():
        lines += ["", f"[{toml_key(table)}]", *(f"{toml_key(name)} = {toml(value)}" for name, value in entries.items())]
    text = "\n".join(lines)
    found = positions(text)
    assert set(found) == {path for path, _ in places(tomllib.loads(text))}
    assert list(found.values()) == sorted(found.values())
