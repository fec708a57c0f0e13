"""What is wrong with a plan, in words: where, which key, what it wants and what it was given."""

import datetime
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from carboy.errors import PlanFaults
from carboy.planfile.keys import TIERS, Key, Path, dotted, find, nearest, sections, wanted

Where = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `where` is `carboy.toml:12`, a variable's name or "command line"; `key` may be empty."""

    where: str
    key: str
    what: str
    hint: str = ""
    path: Path = ()

    @property
    def text(self) -> str:
        """One line: `carboy.toml:12: server.worker: unknown key`."""
        return ": ".join(part for part in (self.where, self.key, self.what) if part)


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raise every fault at once, in the order of the file; do nothing where there is none."""
    found = sorted(dict.fromkeys(faults), key=_order)
    if len(found) == 1:
        refuse(found[0])
    if found:
        error = PlanFaults(tuple(each.text for each in found))
        error.details = tuple(line for each in found for line in _lines(each))
        raise error


def refuse(fault: Fault) -> NoReturn:
    """Raise the one fault, in the form that every error has: where, what, and what to try."""
    error = PlanFaults((fault.text,))
    error.where = ": ".join(part for part in (fault.where, fault.key) if part)
    error.what, error.hint, error.details = fault.what, fault.hint, ()
    raise error


def _order(fault: Fault) -> tuple[str, int, str]:
    name, _, line = fault.where.rpartition(":")
    return (name, int(line), fault.key) if line.isdigit() else (fault.where, 0, fault.key)


def _lines(fault: Fault) -> list[str]:
    return [fault.text, f"  try: {fault.hint}"] if fault.hint else [fault.text]


def unknown_key(path: Path, where: Where) -> Fault:
    """A key that Carboy does not know, with the one that was most likely meant."""
    tier, rest = _without_tier(path)
    near = nearest(rest) if rest else None
    hint = f"did you mean {'.'.join((*tier, near))}?" if near else "carboy explain lists every key"
    return Fault(where(path), dotted(path), "unknown key", hint, path)


def wrong_value(path: Path, value: object, where: Where) -> Fault:
    """A value that its key does not take: what it wants and what it was given."""
    tier, rest = _without_tier(path)
    key = find(rest) or find(rest[:-1])  # the last part is an item's number in a list
    if key is None:
        return Fault(where(path), dotted(path), f"wants a table, given {described(value)}", "", path)
    if rest == ("server", "worker_class") and str(value).startswith("aiohttp"):
        return Fault(where(path), dotted(path), _AIOHTTP, 'for async views set server.kind = "uvicorn"', path)
    shown = described(value, hide=rest[0] == "variables")
    place = (*tier, *(rest if find(rest) else rest[:-1]))
    return Fault(where(path), dotted(place), f"wants {wanted(key)}, given {shown}", _remedy(key, value), place)


_AIOHTTP: Final = "aiohttp's worker serves aiohttp's own apps: neither WSGI, which Flask speaks, nor ASGI"


def wrong_name(path: Path, where: Where) -> Fault:
    """A name of the user's own that cannot be used: of a process, a variable, a tier."""
    if path[:-1] == ("tiers",):
        near = next((tier for tier in TIERS if tier.startswith(path[1][:3].lower())), None)
        hint = f"did you mean tiers.{near}?" if near else ""
        return Fault(where(path), dotted(path), f"unknown tier; there are {', '.join(TIERS)}", hint, path)
    _, rest = _without_tier(path)
    form = next((each.names_form for each in sections() if each.names_form and each.path[0] == rest[0]), None)
    return Fault(where(path), dotted(path), f"this name cannot be used; wants {form}", "", path)


def described(value: object, *, hide: bool = False) -> str:
    """A value for people: its kind and, unless it may be a secret, the value itself."""
    kind = next((words for types, words in _KINDS if isinstance(value, types)), type(value).__name__)
    if hide or isinstance(value, Mapping | list | tuple) or value is None:
        return kind.replace("the ", "a ", 1)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    short = text if len(text) <= 60 else text[:57] + "..."
    return f'{kind} "{short}"' if isinstance(value, str) else f"{kind} {short}"


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "the switch"),
    (int | float, "the number"),
    (str, "the text"),
    (datetime.date | datetime.time, "the date"),
    (Mapping, "a table"),
    (list | tuple, "a list"),
    (type(None), "nothing"),
)


def _remedy(key: Key, value: object) -> str:
    if key.kind in ("text", "list") and isinstance(value, int | float | datetime.date | datetime.time):
        return "put it in quotes"
    if key.kind == "list" and isinstance(value, str):
        return f'put it in a list: ["{value}"]'
    if key.kind in ("number", "switch") and isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return "leave out the quotes"
    if key.kind == "number" and isinstance(value, str) and value.strip().isdigit():
        return "leave out the quotes"
    near = nearest_choice(str(value), key.choices)
    return f'did you mean "{near}"?' if near else _example(key)


def nearest_choice(word: str, choices: tuple[str, ...]) -> str | None:
    """The allowed word that `word` was most likely meant to be."""
    # A choice inside of the word wins: uvicorn.workers.UvicornWorker is Gunicorn's long name for uvicorn.
    inside = [choice for choice in choices if len(choice) > 3 and choice in word.lower()]
    close = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.6)
    return next(iter([*inside, *close]), None)


def _example(key: Key) -> str:
    return f"such as {key.example}" if key.example else ""


def _without_tier(path: Path) -> tuple[Path, Path]:
    """(`("tiers", "staging")`, the rest) for a key of a tier's section."""
    return (path[:2], path[2:]) if path[:1] == ("tiers",) and len(path) > 1 else ((), path)
