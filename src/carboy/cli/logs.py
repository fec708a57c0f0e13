"""`carboy logs`."""

import json
import time
from pathlib import Path
from typing import Any

import click

from carboy.cli.options import json_option, project_argument, wants_json
from carboy.workflows.logs import LogFilter, follow, last_entries, span


@click.command()
@project_argument
@click.option("--follow", "-f", "following", is_flag=True, help="Go on showing lines as they come.")
@click.option("--lines", "-n", default=100, show_default=True, type=click.IntRange(0), help="How many lines back.")
@click.option("--process", "-p", "processes", multiple=True, help="Only this process; may be repeated.")
@click.option("--since", help="Only lines of this span, such as 15m or 2h.")
@click.option("--release", type=int, help="Only lines of this release.")
@click.option("--grep", "text", help="Only lines that contain this text, such as a request id.")
@json_option
def command(
    project: Path,
    following: bool,
    lines: int,
    processes: tuple[str, ...],
    since: str | None,
    release: int | None,
    text: str | None,
    as_json: bool,
) -> int:
    """Show the logs of all processes of PROJECT as one stream. `--json` gives one object a line."""
    moment = span(since, now=time.time()) if since else None
    wanted = LogFilter(processes, moment, release, text)
    show = _show_json if wants_json(as_json) else _show_text
    for item in last_entries(project, wanted, lines):
        show(item)
    if following:
        for item in follow(project, wanted):
            show(item)
    return 0


def _show_json(item: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": 1, **item}, ensure_ascii=False))


def _show_text(item: dict[str, Any]) -> None:
    click.echo(text_line(item))


def text_line(item: dict[str, Any]) -> str:
    """One entry for people: local time, process and instance, release, line."""
    moment = time.strftime("%H:%M:%S", time.localtime(item["time"]))
    label = f"{item['process']}.{item['instance']}"
    return f"{moment} {label:<10} r{item['release']} | {item['line']}"
