"""`carboy status`."""

import time
from pathlib import Path

import click

from carboy.cli.options import json_option, project_argument, wants_json
from carboy.cli.output import show_json
from carboy.errors import EXIT_DONE, EXIT_NO
from carboy.model.status import Status
from carboy.workflows.status import status, status_to_json


@click.command()
@project_argument
@json_option
def command(project: Path, as_json: bool) -> int:
    """Show what runs for PROJECT and how it is. Exit code 1 where nothing runs or it is not well."""
    found = status(project)
    if wants_json(as_json):
        show_json(status_to_json(found))
    else:
        for line in _lines(found):
            click.echo(line)
    return EXIT_DONE if found.state == "running" and found.health == "ready" else EXIT_NO


def _lines(found: Status) -> list[str]:
    if found.url is None:
        return [f"{found.name}: stopped"]
    up_for = _duration(time.time() - (found.since or 0))
    lines = [
        f"{found.name}: {found.state}, {found.health}",
        f"  address   {found.url}",
        f"  release   {found.release}, {found.tier}, {found.server}, up {up_for}",
    ]
    for process in found.processes:
        trouble = f", {process.restarts} restarts, last {process.exit}" if process.restarts else ""
        lines.append(f"  {process.name}.{process.instance:<8} {process.state}{trouble}")
    return lines


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
