"""`carboy init`."""

import os
from pathlib import Path

import click

from carboy.cli.options import json_option, project_argument, require_reference, wants_json
from carboy.cli.output import Progress, show_json, show_notes
from carboy.errors import EXIT_DONE
from carboy.workflows.init import InitResult, init, init_to_json
from carboy.workflows.steps import Steps
from carboy.workflows.trial import trial


@click.command()
@project_argument
@click.option("--app", metavar="MODULE:ATTRIBUTE", help="The app, where reading alone cannot tell.")
@click.option("--dry-run", is_flag=True, help="Show the change as a diff and write nothing.")
@click.option("--force", is_flag=True, help="Write the file anew where there is one already.")
@click.option("--no-probe", is_flag=True, help="Only read: make no environment and import nothing.")
@json_option
def command(project: Path, app: str | None, dry_run: bool, force: bool, no_probe: bool, as_json: bool) -> int:
    """Write carboy.toml for PROJECT: what was found, each line with its reason.

    Only what differs from the defaults is written. A file that is there is never overwritten unasked. Exit code 1
    where no app is sure: nothing is written then. The app is imported for proof, in a copy and an environment of its
    own, without network and without your secrets.
    """
    require_reference(app)
    steps = Steps(Progress(quiet=wants_json(as_json)))
    prove = None if no_probe else trial(project, app=app, steps=steps, environment=os.environ)
    result = init(project, app=app, dry_run=dry_run, force=force, prove=prove)
    if wants_json(as_json):
        show_json(init_to_json(result))
    else:
        _show(result, dry_run=dry_run)
    show_notes(result.notes)
    return EXIT_DONE


def _show(result: InitResult, *, dry_run: bool) -> None:
    if dry_run:
        click.echo(result.diff or f"{result.path.name} would not change.", nl=not result.diff)
        return
    if not result.written:
        click.echo(f"{result.path.name} says so already; nothing was written.")
        return
    click.echo(f"Wrote {result.path}")
    for choice in result.proposal.choices:
        where = f"  [{choice.where}]" if choice.where else ""
        click.echo(f"  {choice.key} = {_short(choice.value)}{where}")
    click.echo("Next: carboy up")


def _short(value: object) -> str:
    text = ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
