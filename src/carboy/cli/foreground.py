"""`carboy up` in the foreground: the log until Ctrl-C or SIGTERM, then everything is stopped."""

import signal
from pathlib import Path
from types import FrameType

import click

from carboy.cli.logs import text_line
from carboy.workflows.down import down
from carboy.workflows.logs import LogFilter, follow
from carboy.workflows.status import runs


def stay(project: Path, *, as_json: bool) -> int:
    """Show the log until told to stop; exit code 3 where everything ended by itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    ended = False
    try:
        for item in follow(project, LogFilter(), going_on=lambda: runs(project)):
            if not as_json:
                click.echo(text_line(item))
        ended = True
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
    down(project)
    return 3 if ended else 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
