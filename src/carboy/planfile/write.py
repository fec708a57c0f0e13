"""The text of a new carboy.toml: a comment on every key, and only what differs from the defaults."""

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from carboy.planfile.keys import ANY, VERSION, Path, find, sections
from carboy.planfile.proposal import Choice, Proposal
from carboy.quoting import toml, toml_key

_WIDTH: Final = 100
_HEAD: Final = (
    "The plan of this project, written by `carboy init`. It is yours: change it and commit it.",
    "Only what differs from the defaults stands here. `carboy explain` lists every key,",
    "`carboy config show` every value and where it came from. What differs in one tier goes under",
    "[tiers.<name>]. Secrets are only named: their values belong in .env or the environment.",
)


def plan_text(proposal: Proposal) -> str:
    """The whole file for `proposal`."""
    parts = ["\n".join(_comment(line) for line in _HEAD)]
    parts.append(f"{_comment('Version of this file, for Carboy itself.')}\nversion = {VERSION}")
    parts += [_entry(choice) for choice in _worth_writing(proposal, ())]
    for table in _tables(proposal):
        entries = [_entry(choice) for choice in _worth_writing(proposal, table)]
        if entries:
            help_text = next(each.help for each in sections() if each.path in (table, (*table[:1], ANY)))
            parts.append(f"{_comment(help_text)}\n[{toml_key(*table)}]\n" + "\n\n".join(entries))
    return "\n\n".join(parts) + "\n"


def _tables(proposal: Proposal) -> Iterator[Path]:
    for section in sections():
        if section.path[-1:] == (ANY,):
            found = (choice.path[:-1] for choice in proposal.choices if choice.path[0] == section.path[0])
            yield from sorted(set(found))
        elif section.path:
            yield section.path


def _worth_writing(proposal: Proposal, table: Path) -> Iterator[Choice]:
    for choice in proposal.choices:
        key = find(choice.path)
        if choice.path[:-1] == table and key is not None and (key.required or choice.value != key.default):
            yield choice


def _entry(choice: Choice) -> str:
    key = find(choice.path)
    reason = _sentence(choice)
    help_text = key.help if key is not None and choice.path[0] != "variables" else ""
    comments = [_comment(text) for text in (help_text, reason) if text]
    return "\n".join([*comments, f"{toml_key(choice.path[-1])} = {_value(choice)}"])


def _value(choice: Choice) -> str:
    line = toml(choice.value)
    if not isinstance(choice.value, tuple) or len(line) + len(choice.path[-1]) + 3 <= _WIDTH:
        return line
    return "[\n" + "".join(f"    {toml(item)},\n" for item in choice.value) + "]"


def _sentence(choice: Choice) -> str:
    """Why, and where it was read: the reason of `server.reason` is its own value and is not said twice."""
    reason = "" if choice.path == ("server", "reason") else _plain(choice.reason)
    found = f"Found in {_plain(choice.where)}" if choice.where else ""
    if found and reason:
        return f"{found}: {reason}."
    return f"{found}." if found else f"Because: {reason}." if reason else ""


def _comment(text: str) -> str:
    lines = textwrap.wrap(_plain(text), _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"# {line}" for line in lines)


def _plain(text: Any) -> str:
    """One line without control characters, which TOML forbids in comments."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
