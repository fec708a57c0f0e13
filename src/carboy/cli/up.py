"""`carboy up`."""

import os
from pathlib import Path

import click

from carboy.cli.options import json_option, pairs, project_argument, require_reference, wants_json
from carboy.cli.output import Progress, show_json, show_notes
from carboy.workflows.steps import Steps
from carboy.workflows.up import UpRequest, UpResult, result_to_json, up

TIERS = ("testing", "staging", "production")


@click.command()
@project_argument
@click.option("-t", "--tier", "-e", type=click.Choice(TIERS), default="production", show_default=True, help="The tier.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; by default the last one, else one free from 8000.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--app", help="The app as module:attribute or module:factory('argument').")
@click.option(
    "--set", "--env", "settings", multiple=True, metavar="K=V", help="A variable of the app; may be repeated."
)
@click.option("--detach", "-d", is_flag=True, help="Return when it serves; otherwise show its log until Ctrl-C.")
@click.option("--fresh", is_flag=True, help="Make everything anew, also where nothing changed.")
@click.option("--fix-requirements", is_flag=True,
              help="Where the requirements no longer install or import, find a set that does and use it.")  # fmt: skip
@json_option
def command(
    project: Path,
    tier: str,
    port: int | None,
    host: str,
    app: str | None,
    settings: tuple[str, ...],
    detach: bool,
    fresh: bool,
    fix_requirements: bool,
    as_json: bool,
) -> int:
    """Take PROJECT to production on this machine: environment, data, server, workers, and the proof that it answers.

    The project's folder is not changed; what Carboy keeps lies in .carboy/ in it, ignored by git.
    """
    machine = wants_json(as_json)
    require_reference(app)
    progress = Progress(quiet=machine)
    request = UpRequest(
        project=project,
        tier=tier,
        host=host,
        port=port,
        settings=pairs(settings),
        overrides={"app.ref": app} if app else {},
        fresh=fresh,
        fix_requirements=fix_requirements,
    )
    result = up(request, steps=Steps(progress), environment=os.environ)
    if machine:
        show_json(result_to_json(result))
    else:
        _show(result)
    if not detach:
        from carboy.cli.foreground import stay  # only the foreground needs it

        return stay(project, result.pid, as_json=machine)
    return 0


def _show(result: UpResult) -> None:
    for item in result.asked:
        click.echo(f"           {item.what:<9} {item.path:<28} {item.verdict}", err=True)
    show_notes(result.notes)
    word = "already serves" if result.already else "serves"
    workers = f", {result.workers} worker{'s' if result.workers > 1 else ''}" if result.workers else ""
    click.echo(f"release {result.release} {word} with {result.server}{workers} "
               f"({result.seconds['total']:.1f} s)", err=True)  # fmt: skip
    click.echo(result.url)
