"""What people read: results on stdout, progress and faults on stderr, plain lines where no terminal is."""

import json
import os
import sys
from typing import Any

import click

from carboy.errors import CarboyError
from carboy.workflows.steps import StepEvent


def show_json(data: dict[str, Any]) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def show_fault(fault: CarboyError, *, as_json: bool) -> None:
    """Say what, where and what to do next. With JSON asked for, stdout gets the same as an object."""
    if as_json:
        error = {"what": fault.what, "where": fault.where, "hint": fault.hint, "details": list(fault.details)}
        show_json({"schema": 1, "error": error, "exit_code": fault.exit_code})
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(str(fault), err=True)
    for line in fault.details:
        click.echo(f"  {line}", err=True)
    if fault.hint:
        click.secho("try: ", fg="yellow", nl=False, err=True)
        click.echo(fault.hint, err=True)


class Progress:
    """Prints a line for each step with its time; on a terminal the running step is shown as well."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty() and not quiet

    def __call__(self, event: StepEvent) -> None:
        """Show one event; a reader that went away ends the showing and never the work."""
        if self.quiet:
            return
        try:
            self._show(event)
        except BrokenPipeError:
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

    def _show(self, event: StepEvent) -> None:
        if event.state == "begun":
            if self.live:
                click.echo(f"  … {event.title}\r", err=True, nl=False)
            return
        mark = {"done": click.style("✓", fg="green"), "failed": click.style("✗", fg="red")}.get(event.state, "·")
        note = f"  {click.style(event.note, dim=True)}" if event.note else ""
        time = f"{event.seconds:6.2f} s" if event.seconds is not None else " " * 8
        erase = "\x1b[2K" if self.live else ""
        click.echo(f"{erase}{mark} {time}  {event.title}{note}", err=True)


def show_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        click.echo(f"  {click.style('note:', fg='yellow')} {note}", err=True)
