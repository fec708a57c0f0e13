"""`carboy inspect`."""

import os
from pathlib import Path

import click

from carboy.cli.options import json_option, project_argument, wants_json
from carboy.cli.output import Progress, show_json
from carboy.errors import EXIT_DONE, EXIT_NO
from carboy.model.facts import Evidence, Facts
from carboy.model.probe import ProbeReport
from carboy.workflows.inspect import facts_to_json, inspect, report_to_json
from carboy.workflows.steps import Steps


@click.command()
@project_argument
@click.option("--probe", is_flag=True, help="Also import the app, in a copy and an environment of its own.")
@json_option
def command(project: Path, probe: bool, as_json: bool) -> int:
    """Say what PROJECT is, by reading it only: the app, its Python, dependencies, data, processes and traps.

    Every answer names the file and line it comes from. Exit code 1 where no app was found, or where --probe failed.
    """
    facts = inspect(project)
    machine = wants_json(as_json)
    found = facts.app.ref is not None or facts.app.command is not None
    report = _probed(project, facts, quiet=machine) if probe and facts.app.ref else None
    if machine:
        show_json(facts_to_json(facts) | ({"probe": report_to_json(report)} if report else {}))
    else:
        for line in [*text_lines(facts), *(_probe_lines(report) if report else [])]:
            click.echo(line)
    return EXIT_DONE if found and (report is None or report.status == "ok") else EXIT_NO


def _probed(project: Path, facts: Facts, *, quiet: bool) -> ProbeReport | None:
    from carboy.workflows.trial import trial  # reading alone must stay quick

    return trial(project, app=None, steps=Steps(Progress(quiet=quiet)), environment=os.environ)(facts)


def _probe_lines(report: ProbeReport) -> list[str]:
    lines = [_row("probe", f"{report.status}: {report.ref}", note=f"Flask {report.flask}, Python {report.python}")]
    lines += [_row("  route", f"{route.rule}  {' '.join(route.methods)}") for route in report.routes]
    return lines + [_row("  page", f"{page.path} answered {page.status or 'nothing'}") for page in report.pages]


def text_lines(facts: Facts) -> list[str]:
    """The facts for people, one a line, each with its first place."""
    lines = [_row("app", facts.app.ref or facts.app.command or "not found", facts.app.evidence, facts.app.reason)]
    if len(facts.app.candidates) > 1:
        lines += [_row("  or", c.ref, c.evidence, c.reason) for c in facts.app.candidates[1:6]]
    lines.append(_row("certainty", facts.app.certainty))
    lines.append(_row("python", facts.python.version or facts.python.requires or "not named", facts.python.evidence))
    source = facts.dependencies.source or "none"
    lines.append(_row("dependencies", source, facts.dependencies.evidence, facts.dependencies.manager))
    lines += [_row("data", f"{d.engine} {d.name}", d.evidence, d.variable or "") for d in facts.data]
    if facts.migrations:
        lines.append(_row("migrations", facts.migrations.command, facts.migrations.evidence, facts.migrations.tool))
    for item in facts.release_commands:
        lines.append(_row("release", item.command, item.evidence, f"once: {item.reason}" if item.once else item.reason))
    lines += [_row("process", f"{p.name}: {p.command}", p.evidence) for p in facts.processes]
    lines += [_row("static", f"{s.url} from {s.folder}", s.evidence) for s in facts.static]
    lines += [_row(u.kind, u.path, u.evidence) for u in facts.uploads]
    lines += [_row("variable", v.name, v.evidence, "required" if v.required else "") for v in facts.variables]
    lines += [_row("build", b.command, b.evidence, b.folder) for b in facts.build]
    return lines + [_row("warning", f"{w.code}: {w.message}", w.evidence) for w in facts.warnings]


def _row(label: str, value: str, evidence: Evidence = (), note: str = "") -> str:
    place = ""
    if evidence:
        first = evidence[0]
        place = f"  [{first.file}:{first.line}]" if first.line else f"  [{first.file}]"
    return f"{label:<13} {value}{place}{f'  ({note})' if note else ''}"
