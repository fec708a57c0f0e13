"""The shape of carboy.toml: pydantic models derived from the keys, and the JSON schema made of them.

Nothing is declared here: types, defaults, limits and help come from `carboy.model.plan` through `planfile.keys`.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from carboy.planfile.faults import Fault, Where, unknown_key, wrong_name, wrong_value
from carboy.planfile.keys import ANY, TIERS, VERSION, Key, Path, Section, find, sections

SCHEMA_ID: Final = "https://json-schema.org/draft/2020-12/schema"
_CONFIG: Final = ConfigDict(strict=True, extra="forbid", frozen=True)


@cache
def plan_model() -> type[BaseModel]:
    """What one layer may say: every key may be left out."""
    return _model("Plan", (), {})


@cache
def file_model() -> type[BaseModel]:
    """The whole file: a layer, its version, and a layer for each tier."""
    more = {
        "version": (Annotated[int, _field("Version of this file's form.", default=VERSION)], None),
        "tiers": (
            Annotated[dict[_tier_name(), plan_model()], _field("What differs in one tier.")],  # type: ignore[misc]
            None,
        ),
    }
    return _model("carboy.toml", (), more)


def validate(table: Mapping[str, Any], where: Where, *, whole_file: bool = False) -> list[Fault]:
    """Everything that is wrong with the form of `table`; an empty list where it can be used."""
    try:
        (file_model() if whole_file else plan_model()).model_validate(dict(table))
    except ValidationError as error:
        # A key that takes a number or a word is refused once for each of the two.
        return list(dict.fromkeys(_fault(each, where) for each in error.errors(include_url=False)))
    return []


def json_schema() -> dict[str, Any]:
    """The JSON schema of carboy.toml, for editors."""
    made = file_model().model_json_schema(mode="validation")
    return {"$schema": SCHEMA_ID, **made, "description": "The plan of a Flask project: https://pypi.org/project/carboy"}


def _fault(error: ErrorDetails, where: Where) -> Fault:
    path = tuple(str(part) for part in error["loc"])
    if path[-1] == "[key]":
        return wrong_name(path[:-1], where)
    if error["type"] == "extra_forbidden":
        return unknown_key(path, where)
    return wrong_value(_known_part(path), error["input"], where)


def _known_part(path: Path) -> Path:
    """`path` without the names that pydantic gives to the branches of a union; an item's number stays."""
    tier = path[:2] if path[0] == "tiers" else ()
    rest = path[len(tier) :]
    for length in range(len(rest), 0, -1):
        key = find(rest[:length])
        if key is not None:
            return (*tier, *rest[: length + 1]) if key.kind == "list" else (*tier, *rest[:length])
    return path


def _model(name: str, path: Path, more: Mapping[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = dict(more)
    for section in sections():
        if section.path[:-1] == path and section.path and section.path[-1] != ANY:
            fields[section.path[-1]] = _table(section)
        elif section.path[:-2] == path and section.path[-1:] == (ANY,):
            fields[section.path[-2]] = _table_of_names(section, _model(section.path[-2], section.path, {}))
    for key in _section(path).keys:
        fields[key.path[-1]] = (_annotated(key), None)
    return create_model(name, __config__=_CONFIG, **fields)


def _section(path: Path) -> Section:
    return next(section for section in sections() if section.path == path)


def _table(section: Section) -> tuple[Any, None]:
    if section.names_pattern:
        return _table_of_names(section, str)
    return (Annotated[_model(section.path[-1], section.path, {}), _field(section.help)], None)


def _table_of_names(section: Section, entry: Any) -> tuple[Any, None]:
    name = Annotated[str, AfterValidator(_matches(section.names_pattern or ""))]
    extra = {"propertyNames": {"pattern": section.names_pattern}}
    return (Annotated[dict[name, entry], _field(section.help, **extra)], None)


def _tier_name() -> Any:
    return Literal[TIERS]


def _annotated(key: Key) -> Any:
    extra: dict[str, Any] = {} if key.default is None else {"default": _plain(key.default)}
    if key.example is not None:
        extra["examples"] = [tomllib.loads(f"k = {key.example}")["k"] if key.kind == "list" else key.example]
    if key.pattern:
        # The models check patterns themselves: pydantic's own engine knows no look-ahead.
        limit = {"pattern": key.pattern}
        extra.update(limit if key.kind == "text" else {"items": {"type": "string", **limit}})
    return Annotated[_type(key), _field(key.help, **extra)]


def _type(key: Key) -> Any:
    if key.kind == "number":
        number = Annotated[int, Field(ge=key.minimum, le=key.maximum)]
        return number | Literal[key.choices] if key.choices else number
    if key.kind == "switch":
        return bool
    text: Any = Literal[key.choices] if key.choices else str
    if key.pattern:
        text = Annotated[text, AfterValidator(_matches(key.pattern))]
    return list[text] if key.kind == "list" else text


def _matches(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.match(value):
            raise ValueError(value)
        return value

    return check


def _field(help_text: str, **extra: Any) -> Any:
    def adjust(schema: dict[str, Any]) -> None:
        # The models default to None, "not said in this layer"; the schema shows the key's own default.
        schema.pop("default", None)
        schema.pop("title", None)
        schema.update(extra)

    return Field(description=help_text, json_schema_extra=adjust)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
