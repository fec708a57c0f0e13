"""`.flaskenv`, `.env` and `.env.<tier>`: parsed only, as python-dotenv and so Flask read them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream
from dotenv.variables import parse_variables

from carboy.planfile.origin import Origin

_STRICT_TIERS: Final = frozenset({"staging", "production"})
_OFF: Final = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class DotenvValues:
    """What the files say, later files first asked, and what people should know of them."""

    values: Mapping[str, tuple[str, Origin]]
    notes: tuple[str, ...]


def read_dotenv(project: Path, tier: str, environment: Mapping[str, str]) -> DotenvValues:
    """Read the files of `tier`; debug switches of the common files do not reach staging and production."""
    values: dict[str, tuple[str, Origin]] = {}
    notes: list[str] = []
    for name in (".flaskenv", ".env", f".env.{tier}"):
        for variable, text, origin in _entries(project / name, environment, values, notes):
            calm = _calmed(variable, text) if tier in _STRICT_TIERS and name != f".env.{tier}" else text
            if calm != text:
                notes.append(f"{origin.where}: {variable}={text} is for development; {tier} runs with {calm}")
            values[variable] = (calm, origin)
    return DotenvValues(values, tuple(notes))


def _entries(
    path: Path, environment: Mapping[str, str], known: Mapping[str, tuple[str, Origin]], notes: list[str]
) -> Iterator[tuple[str, str, Origin]]:
    text = _text(path, notes)
    # The process's own variables win in ${...}, as they do in Flask's load_dotenv.
    names: dict[str, str | None] = {name: value for name, (value, _) in known.items()}
    for binding in parse_stream(StringIO(text)):
        where = f"{path.name}:{binding.original.line + _blank_lines(binding.original.string)}"
        if binding.error:
            notes.append(f"{where}: cannot be read as NAME=value and is left out")
        elif binding.key is not None and binding.value is not None:
            value = "".join(atom.resolve({**names, **environment}) for atom in parse_variables(binding.value))
            names[binding.key] = value
            yield binding.key, value, Origin("dotenv", where)


def _blank_lines(original: str) -> int:
    """A binding's text begins with the blank lines before it."""
    return original[: len(original) - len(original.lstrip())].count("\n")


def _text(path: Path, notes: list[str]) -> str:
    # `.env` is a folder where someone made a virtual environment of that name.
    if not path.is_file():
        return ""
    try:
        data = path.read_bytes()
    except OSError as error:
        notes.append(f"{path.name}: cannot be read ({error.strerror}) and is left out")
        return ""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append(f"{path.name}: is not UTF-8; read as Latin-1")
        return data.decode("latin-1")


def _calmed(variable: str, text: str) -> str:
    """The production value of Flask's own debug switches; any other variable as it is."""
    if variable == "FLASK_DEBUG" and text.strip().lower() not in _OFF:
        return "0"
    if variable == "FLASK_ENV" and text.strip().lower() == "development":
        return "production"
    return text
