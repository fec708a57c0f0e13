"""`carboy run`."""

import os
from pathlib import Path

import click

from carboy.cli.options import project_option
from carboy.workflows.run import run


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@project_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(project: Path, words: tuple[str, ...]) -> int:
    """Run one command in the app's environment, with its variables, secrets and programs.

    The exit code is the command's own. Example: carboy run flask routes
    """
    return run(project, words, environment=os.environ)
