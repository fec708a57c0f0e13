"""Edits of a plan file that keep its comments, its order and its form."""

import tomllib
from collections.abc import MutableMapping
from typing import Any, cast

import tomlkit
from tomlkit.items import InlineTable

from carboy.errors import UsageFault
from carboy.planfile.keys import Path


def set_key(text: str, path: Path, value: Any) -> str:
    """`text` with the key at `path` set to `value`; tables that are missing are added at the end."""
    document = tomlkit.parse(text)
    table = _table(document, path[:-1])
    plain = list(value) if isinstance(value, tuple) else value
    if path[-1] in table:
        # Replacing in place keeps the comment behind the value.
        old = table[path[-1]]
        new = tomlkit.item(plain)
        if hasattr(old, "trivia"):
            new.trivia.comment, new.trivia.comment_ws = old.trivia.comment, old.trivia.comment_ws
        table[path[-1]] = new
    else:
        table[path[-1]] = plain
    return _checked(text, tomlkit.dumps(document), path, plain)


def unset_key(text: str, path: Path) -> str:
    """`text` without the key at `path`, and without a table that this leaves empty; unchanged where it has none."""
    document = tomlkit.parse(text)
    owners: list[MutableMapping[str, Any]] = [document]
    for part in path[:-1]:
        below = owners[-1].get(part)
        if not isinstance(below, MutableMapping):
            return text
        owners.append(below)
    if path[-1] not in owners[-1]:
        return text
    del owners[-1][path[-1]]
    for owner, part in zip(reversed(owners[:-1]), reversed(path[:-1]), strict=True):
        # A comment at the end of a table may speak of the next one: tables that hold one stay.
        if not owner[part] and "#" not in owner[part].as_string():
            del owner[part]
    return _checked(text, tomlkit.dumps(document), path, None)


def _checked(before: str, after: str, path: Path, value: Any) -> str:
    """`after`, once it is sure that this key changed and nothing else did."""
    wanted = _without(tomllib.loads(before), path)
    try:
        made = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        made = {}
    if _without(made, path) != wanted or _value(made, path) != value:
        raise UsageFault("this file cannot be edited safely", where=".".join(path), hint="change it by hand")
    return after


def _value(table: Any, path: Path) -> Any:
    for part in path:
        table = table.get(part) if isinstance(table, dict) else None
    return table


def _without(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """`table` without the key and without tables that are empty, which say nothing."""
    left = {name: value for name, value in table.items() if (name,) != path}
    if len(path) > 1 and isinstance(left.get(path[0]), dict):
        left[path[0]] = _without(left[path[0]], path[1:])
        if not left[path[0]]:
            del left[path[0]]
    return left


def _table(document: tomlkit.TOMLDocument, path: Path) -> MutableMapping[str, Any]:
    table: MutableMapping[str, Any] = document
    for place, part in enumerate(path):
        if part not in table:
            table[part] = _new_table(table, last=place == len(path) - 1)
        table = cast(MutableMapping[str, Any], table[part])
    return table


def _new_table(owner: Any, *, last: bool) -> Any:
    if isinstance(owner, InlineTable):
        return tomlkit.inline_table()
    # [tiers.staging.server] needs no [tiers] and [tiers.staging] above it.
    return tomlkit.table(is_super_table=not last)
