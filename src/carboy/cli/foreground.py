"""`carboy up` in the foreground: the log until Ctrl-C or SIGTERM, then everything is stopped."""

from pathlib import Path

import click

from carboy.cli.logs import text_line
from carboy.workflows.down import down
from carboy.workflows.logs import LogFilter, follow
from carboy.workflows.status import runs


def stay(project: Path, pid: int, *, as_json: bool) -> int:
    """Show the log until told to stop, or until supervisor `pid` is gone: stopped or replaced from elsewhere."""
    try:
        for item in follow(project, LogFilter(), going_on=lambda: runs(project, pid)):
            if not as_json:
                click.echo(text_line(item))
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
        if runs(project, pid):
            down(project)
        return 0
    click.echo("it was stopped, or replaced, from elsewhere", err=True)
    return 0
