"""The layers that settings come from, later wins: each a flat mapping from a key's path to its value and origin."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from carboy.planfile.document import Document
from carboy.planfile.faults import Fault, unknown_key, wrong_value
from carboy.planfile.keys import ANY, Key, Path, all_keys, find, sections
from carboy.planfile.origin import Layer, Origin
from carboy.planfile.schema import validate

Leaves = dict[Path, tuple[Any, Origin]]

_PREFIX: Final = "CARBOY_"
_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"0", "false", "no", "off"})
# What a layer says of the left key makes lower layers' words on the right ones meaningless.
_DISPLACED: Final[Mapping[Path, tuple[Path, ...]]] = {
    ("app", "ref"): (("app", "command"),),
    ("app", "command"): (("app", "ref"),),
    ("server", "kind"): (("server", "worker_class"), ("server", "reason")),
    ("server", "worker_class"): (("server", "kind"), ("server", "reason")),
}


def layered(layers: Iterable[Leaves]) -> Leaves:
    """One layer over the other; what a later one decides takes with it what hung on the earlier choice."""
    merged: Leaves = {}
    for layer in layers:
        for path in layer:
            for gone in _DISPLACED.get(path, ()):
                if merged.get(path, (None,))[0] != layer[path][0] and gone not in layer:
                    merged.pop(gone, None)
        merged.update(layer)
    return merged


def file_leaves(document: Document, tier: str) -> tuple[Leaves, Leaves, list[Fault]]:
    """What the file says for all tiers, what it says for this one, and all that is wrong anywhere in it."""
    faults = validate(document.table, document.where, whole_file=True)
    bad = {each.path for each in faults}
    sections = {name: part for name, part in document.table.items() if name not in ("version", "tiers")}
    tiers = document.table.get("tiers")
    own = tiers.get(tier) if isinstance(tiers, Mapping) else None
    base = _file_part(document, sections, "plan file", (), bad)
    return base, _file_part(document, own, "tier section", ("tiers", tier), bad), faults


def _file_part(document: Document, table: Any, layer: Layer, prefix: Path, bad: set[Path]) -> Leaves:
    leaves: Leaves = {}
    for path, value in _flat(table, ()) if isinstance(table, Mapping) else ():
        place = (*prefix, *path)
        if find(path) and not any(place[:length] in bad for length in range(1, len(place) + 1)):
            leaves[path] = (_frozen(value), Origin(layer, document.where(place)))
    return leaves


def environment_leaves(environment: Mapping[str, str], processes: Iterable[str]) -> tuple[Leaves, list[Fault]]:
    """Keys of the plan that the process environment sets: CARBOY_SERVER__WORKERS=3."""
    leaves: Leaves = {}
    faults: list[Fault] = []
    names = tuple(processes)
    for variable in sorted(filter(_is_plan_variable, environment)):
        path = _path_of(variable[len(_PREFIX) :], names)
        found, wrong = _text_leaf(path, environment[variable], "environment", variable)
        leaves.update(found)
        faults += wrong
    return leaves, faults


def override_leaves(overrides: Mapping[str, object]) -> tuple[Leaves, list[Fault]]:
    """Keys that the command line sets, by their dotted names; texts are read as the key's own type."""
    leaves: Leaves = {}
    faults: list[Fault] = []
    for name, value in overrides.items():
        path = tuple(name.split("."))
        if isinstance(value, str):
            found, wrong = _text_leaf(path, value, "command line", "command line")
        else:
            found, wrong = _leaf(path, value, "command line", "command line")
        leaves.update(found)
        faults += wrong
    return leaves, faults


def _text_leaf(path: Path, text: str, layer: Layer, where: str) -> tuple[Leaves, list[Fault]]:
    key = find(path)
    return _leaf(path, text if key is None else read_text(key, text), layer, where)


def _leaf(path: Path, value: object, layer: Layer, where: str) -> tuple[Leaves, list[Fault]]:
    key = find(path)
    if key is None:
        return {}, [unknown_key(path, lambda _: where)]
    origin = Origin(layer, where)
    if value is None and key.optional:
        return {path: (None, origin)}, []
    plain = list(value) if isinstance(value, tuple) else value
    nested: Any = plain
    for part in reversed(path):
        nested = {part: nested}
    if value is None or validate(nested, lambda _: where):
        return {}, [wrong_value(path, plain, lambda _: where)]
    return {path: (_frozen(plain), origin)}, []


def read_text(key: Key, text: str) -> object:
    """A text from the environment as the key's own type; what cannot be read stays a text, and is refused as one."""
    word = text.strip()
    if key.kind == "list":
        return _list(word)
    if key.kind == "number" and word.lstrip("+-").isdigit() and word.isascii():
        return int(word)
    if key.kind == "switch" and word.lower() in _ON | _OFF:
        return word.lower() in _ON
    return None if key.optional and not word else text


def _list(word: str) -> object:
    """`["a", "b"]` as written in the file, else the one item that it is."""
    if not word.startswith("["):
        return [word] if word else []
    try:
        return tomllib.loads(f"k = {word}")["k"]
    except tomllib.TOMLDecodeError:
        return word


def _is_plan_variable(name: str) -> bool:
    """CARBOY_SERVER__WORKERS and CARBOY_SECRETS are; CARBOY_APP is of the wire between the tool and the app."""
    words = name[len(_PREFIX) :]
    return name.upper().startswith(_PREFIX) and ("__" in words or (words.lower(),) in all_keys())


def _path_of(words: str, processes: Iterable[str]) -> Path:
    """SERVER__WORKERS as `server.workers`; a process by its own name, a variable in its own letters."""
    parts = words.split("__")
    head = parts[0].lower()
    if head == "variables":
        return (head, "__".join(parts[1:]))
    lower = tuple(part.lower() for part in parts)
    if head == "processes" and len(lower) > 1:
        own = {name.replace("-", "_"): name for name in processes}
        return (head, own.get(lower[1], lower[1].replace("_", "-")), *lower[2:])
    return lower


def _flat(table: Mapping[str, Any], path: Path) -> Iterable[tuple[Path, Any]]:
    for name, value in table.items():
        deeper = (*path, name)
        if isinstance(value, Mapping) and not find(deeper):
            yield from _flat(value, deeper)
        else:
            yield deeper, value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def default_leaves(names: Iterable[Path]) -> Leaves:
    """The default of every key, for the user's own tables in `names` too."""
    leaves: Leaves = {}
    for key in all_keys().values():
        if ANY not in key.path and not key.required:
            leaves[key.path] = (key.default, Origin("default"))
    for table in names:
        section = next(each for each in sections() if each.path == (table[0], ANY))
        for key in section.keys:
            if not key.required:
                leaves[(*table, key.path[-1])] = (key.default, Origin("default"))
    return leaves
