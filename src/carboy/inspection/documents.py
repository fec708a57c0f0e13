"""Project files in TOML, INI and JSON: a broken or hostile one is an empty one, never an end of reading."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carboy.inspection.index import Index

if TYPE_CHECKING:  # loaded where there is such a file
    from configparser import RawConfigParser


def toml_of(index: Index, path: str) -> dict[str, Any]:
    """A parsed TOML file; empty where it is missing or broken."""
    return index.derived(_Toml(path)) if index.has(path) else {}


@dataclass(frozen=True)
class _Toml:
    """Read once for all who ask."""

    path: str

    def __call__(self, index: Index) -> dict[str, Any]:
        import tomllib

        try:
            return tomllib.loads(index.text(self.path) or "")
        except (ValueError, RecursionError):  # a number of 5,000 digits is a plain ValueError
            return {}


def ini_of(index: Index, path: str) -> "RawConfigParser":
    """A parsed INI file; without sections where it is missing or broken."""
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(index.text(path) or "")
    except (configparser.Error, ValueError, AttributeError, RecursionError):
        # AttributeError: configparser's own, for a value that is continued after a key without one
        return configparser.RawConfigParser()
    return parser


def json_of(text: str) -> Any:
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def table(value: Any, *names: str) -> dict[str, Any]:
    """A table inside a table; empty where something else stands there."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return dict(value) if isinstance(value, Mapping) else {}
