"""`carboy targets`."""

import click

from carboy.cli.options import json_option, wants_json
from carboy.cli.output import show_json
from carboy.workflows.targets import abilities


@click.command()
@json_option
def command(as_json: bool) -> int:
    """Show the targets, the words that each knows, and why where it does not know one."""
    table = abilities()
    if wants_json(as_json):
        show_json({"schema": 1, "targets": table})
        return 0
    for target, words in table.items():
        click.echo(target)
        for word in words:
            click.echo(f"  {word['word']:<10} {'yes' if word['able'] else 'no: ' + str(word['reason'])}")
    return 0
