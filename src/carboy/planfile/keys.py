"""The keys of carboy.toml, read off the dataclasses of the model: one Key for each, `*` where users name a table."""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Final, Literal

from carboy.model.plan import Plan, TierName

Path = tuple[str, ...]
Kind = Literal["text", "number", "switch", "list"]

TIERS: Final[tuple[str, ...]] = typing.get_args(TierName)
VERSION: Final = 1
ANY: Final = "*"
# Set by the command line alone: a plan file that chose its own tier could not be asked for another.
_NOT_IN_THE_FILE: Final = frozenset({"tier"})


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where it stands, what it takes and what it is for."""

    path: Path
    kind: Kind
    help: str
    choices: tuple[str, ...]
    optional: bool
    default: Any
    required: bool
    minimum: float | None
    maximum: float | None
    example: str | None
    pattern: str | None
    form: str | None

    @property
    def name(self) -> str:
        """As people write it: `server.workers`, `processes.<name>.command`."""
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file: `[server]`, `[processes.<name>]`."""

    path: Path
    help: str
    names_pattern: str | None
    names_form: str | None
    keys: tuple[Key, ...]


def dotted(path: Path) -> str:
    """A path as people write it."""
    return ".".join("<name>" if part == ANY else part for part in path)


@cache
def all_keys() -> Mapping[Path, Key]:
    """Every key in the order of the model."""
    return {key.path: key for key in _walk(Plan, ())}


@cache
def sections() -> tuple[Section, ...]:
    """Every table in the order of the model, the top of the file first."""
    return tuple(_sections(Plan, (), Plan.__doc__ or "", {}))


def find(path: Path) -> Key | None:
    """The key at `path`, where the user's own names stand for `*`."""
    keys = all_keys()
    return keys.get(path) or keys.get(generic(path))


def generic(path: Path) -> Path:
    """`processes.mail.command` as `processes.*.command`."""
    if len(path) > 1 and (path[0], ANY) in _tables_of_names():
        return (path[0], ANY, *path[2:])
    return path


def nearest(path: Path) -> str | None:
    """The known key that an unknown one was most likely meant to be."""
    tables = [each.path for each in sections() if each.path]
    known = {".".join(_named(key, path)): key for key in [("version",), ("tiers",), *all_keys(), *tables]}
    wanted = ".".join(path)
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.75)
    # A right word in the wrong table, such as workers under [app], is nearer than a like-looking key of that table.
    same_word = [name for name, key in known.items() if key[-1] == path[-1] and ANY not in key]
    tail = difflib.get_close_matches(path[-1], [key[-1] for key in known.values() if key[:-1] == path[:-1]], n=1)
    if close or not (tail or same_word):
        return close[0] if close else None
    return ".".join((*path[:-1], tail[0])) if tail else same_word[0]


def wanted(key: Key) -> str:
    """What the key takes, for people: "a whole number from 1 to 512, or "auto"."""
    words = _WANTED[key.kind]
    if key.kind == "number":
        words += _limits(key)
    elif key.choices:
        words = "one of " + ", ".join(f'"{choice}"' for choice in key.choices)
    elif key.form:
        words = f"{words}: {key.form}"
    if key.kind == "number" and key.choices:
        words += " or " + ", ".join(f'"{choice}"' for choice in key.choices)
    return words


_WANTED: Final[Mapping[Kind, str]] = {
    "text": "text",
    "number": "a whole number",
    "switch": "true or false",
    "list": "a list of texts",
}


def _limits(key: Key) -> str:
    if key.minimum is not None and key.maximum is not None:
        return f" from {key.minimum:g} to {key.maximum:g}" if key.maximum < 1e6 else f" of {key.minimum:g} or more"
    return "" if key.minimum is None else f" of {int(key.minimum)} or more"


def _named(key: Path, like: Path) -> Path:
    """`key` with the user's own name in the place of `*`, so that the rest can be compared."""
    return tuple(like[place] if part == ANY and place < len(like) else part for place, part in enumerate(key))


@cache
def _tables_of_names() -> frozenset[Path]:
    return frozenset(path[:2] for path in all_keys() if len(path) > 1 and path[1] == ANY)


def _walk(owner: type, path: Path) -> Iterator[Key]:
    hints = typing.get_type_hints(owner)
    for each in _declared(owner):
        hint = hints[each.name]
        inner = _table_entry(hint)
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _walk(hint, (*path, each.name))
        elif inner is not None and is_dataclass(inner):
            yield from _walk(inner, (*path, each.name, ANY))
        else:
            deeper = (*path, each.name, ANY) if inner is not None else (*path, each.name)
            yield _key(each, hint, deeper)


def _sections(owner: type, path: Path, help_text: str, names: Mapping[str, Any]) -> Iterator[Section]:
    hints = typing.get_type_hints(owner)
    own = tuple(key for key in all_keys().values() if key.path[:-1] == path)
    yield Section(path, help_text, names.get("pattern"), names.get("form"), own)
    for each in _declared(owner):
        hint = hints[each.name]
        inner = _table_entry(hint)
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _sections(hint, (*path, each.name), each.metadata["help"], {})
        elif inner is not None:
            deeper = (*path, each.name, ANY) if is_dataclass(inner) else (*path, each.name)
            yield from _sections(
                inner if is_dataclass(inner) else _Nothing, deeper, each.metadata["help"], each.metadata
            )


@dataclass
class _Nothing:
    """A table without keys of its own."""


def _declared(owner: Any) -> list[Field[Any]]:
    return [each for each in fields(owner) if each.name not in _NOT_IN_THE_FILE]


def _table_entry(hint: Any) -> type | None:
    """What a table of the user's own names holds: a dataclass or text; None where `hint` is no such table."""
    if typing.get_origin(hint) is not Mapping:
        return None
    entry: type = typing.get_args(hint)[1]
    return entry


def _key(declared: Field[Any], hint: Any, path: Path) -> Key:
    plain, optional, choices = _taken_apart(hint)
    about = declared.metadata
    return Key(
        path=path,
        kind=_KINDS[plain] if path[-1] != ANY else "text",
        help=about["help"],
        choices=choices,
        optional=optional,
        default=None if declared.default is MISSING else declared.default,
        required=declared.default is MISSING and declared.default_factory is MISSING,
        minimum=about["minimum"],
        maximum=about["maximum"],
        example=about["example"],
        pattern=about["pattern"] if path[-1] != ANY else None,
        form=about["form"] if path[-1] != ANY else None,
    )


_KINDS: Final[Mapping[Any, Kind]] = {str: "text", int: "number", bool: "switch", tuple: "list"}


def _taken_apart(hint: Any) -> tuple[Any, bool, tuple[str, ...]]:
    """The plain type, whether None is allowed, and the words that are."""
    parts = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    choices = tuple(word for part in parts for word in typing.get_args(part) if typing.get_origin(part) is Literal)
    plain = [typing.get_origin(part) or part for part in parts if typing.get_origin(part) is not Literal]
    plain = [part for part in plain if part is not types.NoneType]
    return (plain[0] if plain else str), types.NoneType in parts, choices
