"""`carboy explain`: what a key of carboy.toml, a table of it or the code of a warning means."""

from dataclasses import dataclass
from typing import Any, Final

from carboy.errors import UsageFault
from carboy.inspection.explanations import EXPLANATIONS, Explanation
from carboy.planfile.keys import Key, Section, all_keys, dotted, wanted
from carboy.planfile.lookup import find_key, find_section, similar
from carboy.quoting import toml

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Explained:
    """One of the three: a key, a table, or the code of a warning with its explanation."""

    word: str
    key: Key | None = None
    section: Section | None = None
    warning: Explanation | None = None


def explain(word: str) -> Explained:
    """What `word` is. Raises UsageFault with the nearest names where it is nothing."""
    code = word.strip().lower().replace("_", "-")
    if code in EXPLANATIONS:
        return Explained(code, warning=EXPLANATIONS[code])
    section, key = find_section(word), find_key(word)
    if section is not None and (key is None or key.path[:-1] == section.path[:-1] or "." not in word):
        return Explained(word, section=section)
    if key is not None:
        return Explained(word, key=key)
    near = similar(word, tuple(EXPLANATIONS))
    hint = f"did you mean {' or '.join(near)}?" if near else "carboy explain lists every key and code"
    raise UsageFault("neither a key of carboy.toml nor the code of a warning", where=word, hint=hint)


def known_keys() -> tuple[Key, ...]:
    """Every key, in the order of the file."""
    return tuple(all_keys().values())


def known_codes() -> tuple[tuple[str, Explanation], ...]:
    """Every code of a warning, sorted."""
    return tuple(sorted(EXPLANATIONS.items()))


def wants(key: Key) -> str:
    """What the key takes, for people."""
    return wanted(key)


def default_text(key: Key) -> str:
    """The default as it would be written, or why there is none."""
    if key.required:
        return "none: it must be given"
    return "not set" if key.default is None else toml(key.default)


def explained_to_json(explained: Explained) -> dict[str, Any]:
    """The value that `carboy explain --json` prints."""
    if explained.warning is not None:
        about = {"meaning": explained.warning.meaning, "remedy": explained.warning.remedy}
        return {"schema": SCHEMA, "kind": "warning", "name": explained.word, **about}
    if explained.section is not None:
        section = explained.section
        return {
            "schema": SCHEMA,
            "kind": "table",
            "name": dotted(section.path),
            "help": section.help,
            "keys": [key_to_json(key) for key in section.keys],
        }
    assert explained.key is not None
    return {"schema": SCHEMA, "kind": "key", **key_to_json(explained.key)}


def key_to_json(key: Key) -> dict[str, Any]:
    """One key with everything that is declared about it."""
    return {
        "name": key.name,
        "help": key.help,
        "wants": wanted(key),
        "default": list(key.default) if isinstance(key.default, tuple) else key.default,
        "required": key.required,
        "example": key.example,
        "variable": variable_of(key),
    }


def variable_of(key: Key) -> str:
    """The variable of the process environment that sets the key."""
    *tables, last = (part if part == "*" else part.upper() for part in key.path)
    return "CARBOY_" + "__".join("<NAME>" if part == "*" else part for part in (*tables, last))
