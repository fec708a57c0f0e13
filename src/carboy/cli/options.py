"""Options that several words share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from carboy.errors import UsageFault

F = TypeVar("F", bound=Callable[..., Any])

TIERS = ("development", "testing", "staging", "production")


def project_argument(function: F) -> F:
    """The project's folder, by default the one we stand in."""
    return click.argument("project", default=".", type=click.Path(path_type=Path, file_okay=True))(function)


def project_option(function: F) -> F:
    """The project's folder as an option, for words whose arguments are taken."""
    return click.option(
        "--project", "-C", default=".", type=click.Path(path_type=Path), help="The project's folder.", show_default=True
    )(function)


def tier_option(function: F) -> F:
    return click.option(
        "-t",
        "--tier",
        "-e",
        "tier",
        type=click.Choice(TIERS),
        default="production",
        show_default=True,
        help="The tier.",
    )(function)


def json_option(function: F) -> F:
    """`--json`, and `--format json` as its long form; the function gets `as_json`."""
    function = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(function)
    return click.option(
        "--format",
        type=click.Choice(["text", "json"]),
        default="text",
        expose_value=False,
        callback=_format_is_json,
        is_eager=False,
        help="The long form of --json.",
    )(function)


def _format_is_json(context: click.Context, _parameter: click.Parameter, value: str) -> None:
    if value == "json":
        context.meta["carboy.json"] = True


def wants_json(as_json: bool) -> bool:
    """Whether either form was given."""
    context = click.get_current_context()
    return as_json or bool(context.meta.get("carboy.json"))


def pairs(values: tuple[str, ...], *, option: str = "--set") -> dict[str, str]:
    """`K=V` words as a mapping. Raises UsageFault where one has no name or no equals sign."""
    found: dict[str, str] = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign or not name.isidentifier():
            raise UsageFault("not NAME=VALUE", where=f"{option} {name or text!r}", hint=f"{option} DEBUG=0")
        found[name] = value
    return found


def require_reference(app: str | None) -> None:
    """Raises UsageFault where `--app` is no `module:attribute`."""
    module, colon, attribute = (app or "a:b").partition(":")
    if not colon or not attribute or not all(part.isidentifier() for part in module.split(".")):
        raise UsageFault(
            "not module:attribute", where=f"--app {app}", hint="--app shop:app, or --app 'shop:create_app()'"
        )
