"""`carboy down`."""

from pathlib import Path

import click

from carboy.cli.options import json_option, project_argument, wants_json
from carboy.cli.output import show_json
from carboy.workflows.down import down


@click.command()
@project_argument
@json_option
def command(project: Path, as_json: bool) -> int:
    """Stop what `carboy up` started for PROJECT. Its data, logs and environments stay."""
    stopped = down(project)
    if wants_json(as_json):
        show_json({"schema": 1, "stopped": stopped})
    else:
        click.echo("stopped" if stopped else "nothing was running")
    return 0
