"""`carboy config show`."""

import os
from pathlib import Path
from typing import Any

import click

from carboy.cli.options import json_option, project_argument, tier_option, wants_json
from carboy.cli.output import show_json, show_notes
from carboy.errors import EXIT_DONE
from carboy.workflows.config import Row, config_to_json, show_config


@click.group()
def command() -> None:
    """Show the settings of a project."""


@command.command("show")
@project_argument
@tier_option
@click.option("--changed", is_flag=True, help="Leave out what keeps its default.")
@json_option
def show(project: Path, tier: str, changed: bool, as_json: bool) -> int:
    """Show every setting of PROJECT for one tier, with the layer and the place it comes from; secrets are masked.

    Layers, later wins: default, detected, plan file, tier section, dotenv, environment, command line.
    """
    shown = show_config(project, tier=tier, environment=os.environ, overrides={})
    if wants_json(as_json):
        show_json(config_to_json(shown))
    else:
        rows = [row for row in shown.rows if not changed or row.origin.layer != "default" or row.origin.reason]
        width = min(40, max((len(row.key) for row in rows), default=0))
        for row in rows:
            click.echo(_line(row, width))
    show_notes(shown.notes)
    return EXIT_DONE


def _line(row: Row, width: int) -> str:
    origin = click.style(f"({_origin(row)})", dim=True)
    return f"{row.key:<{width}}  {_text(row.value)}  {origin}"


def _origin(row: Row) -> str:
    if row.value is None and row.origin.reason:
        return row.origin.reason
    if row.origin.where and row.origin.layer != "command line":
        return f"{row.origin.layer} {row.origin.where}"
    return row.origin.layer


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value == "":
        return "-"
    return ", ".join(value) or "-" if isinstance(value, list) else str(value)
