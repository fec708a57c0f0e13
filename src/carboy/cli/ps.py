"""`carboy ps`."""

from pathlib import Path

import click

from carboy.cli.options import json_option, project_argument, wants_json
from carboy.cli.output import show_json
from carboy.errors import EXIT_DONE, EXIT_NO
from carboy.workflows.status import processes_to_json, status


@click.command()
@project_argument
@json_option
def command(project: Path, as_json: bool) -> int:
    """Show the processes of PROJECT with state, memory and restarts. Exit code 1 where none runs."""
    found = status(project)
    if wants_json(as_json):
        show_json(processes_to_json(found))
    else:
        click.echo(f"{'process':<16} {'state':<12} {'pid':>8} {'tree':>5} {'memory':>10} {'restarts':>8}")
        for item in found.processes:
            memory = f"{item.memory / 1e6:.0f} MB" if item.memory else "-"
            label = f"{item.name}.{item.instance}"
            click.echo(
                f"{label:<16} {item.state:<12} {item.pid or '-':>8} {len(item.pids):>5} {memory:>10} {item.restarts:>8}"
            )
    return EXIT_DONE if found.processes else EXIT_NO
