"""`carboy shell`."""

import os
from pathlib import Path

import click

from carboy.cli.options import project_argument
from carboy.workflows.run import shell


@click.command()
@project_argument
def command(project: Path) -> int:
    """Open a Python shell with the app of PROJECT and its context at hand."""
    return shell(project, environment=os.environ)
