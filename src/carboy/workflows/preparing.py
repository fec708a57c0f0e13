"""What is run in a staged release before it starts: build steps and release commands."""

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from carboy.errors import Failed
from carboy.model.command import Command
from carboy.model.plan import Plan
from carboy.remote.local import LocalConnector
from carboy.targets.local import contract
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.state import read_json, write_json
from carboy.workflows.attempt import Staging, through_exec
from carboy.workflows.surroundings import release_environment
from carboy.workflows.words import split_commands

BUILD_TIMEOUT = 1800.0
_IMPORT = "import os, sys, flask_carboy.serve; sys.stdout.flush(); sys.stderr.flush(); os._exit(0)"
_HINTS = {
    "build": "run it by hand in the project",
    "import": "the traceback above names the line; a service that it needs must run, a variable be set in .env",
}


def run_build(plan: Plan, environment: Mapping[str, str], job: Staging) -> None:
    for text in plan.app.build:
        with job.steps.step("build-step", text):
            folder = job.source
            for words in split_commands(text, environment, where="app.build"):
                if words[0] == "cd" and len(words) == 2:
                    folder = job.source / words[1]
                else:
                    _run(words, environment, folder, BUILD_TIMEOUT, where="build", text=text)


def prepare_data(job: Staging, plan: Plan, made: ReleaseRecord) -> tuple[dict[str, Any], ...]:
    """The release commands, in order; those that lose data when they are repeated, once in the project's life."""
    done_file = job.folder.shared / ".carboy-initial.json"
    known = read_json(done_file)
    done = list((known or {}).get("commands", []))
    if known is None and plan.release.initial and (full := _brought_data(job, plan)):
        job.steps.say("release-command", f"{full} has tables already: {', '.join(plan.release.initial)} not run")
        done = list(plan.release.initial)
        write_json(done_file, {"schema": 1, "commands": done})
    prepared: list[dict[str, Any]] = []
    for text in (*(c for c in plan.release.initial if c not in done), *plan.release.commands):
        with job.steps.step("release-command", text):
            prepared += _release_command(job, plan, made, text)
        if text in plan.release.initial:
            done.append(text)
            write_json(done_file, {"schema": 1, "commands": done})
    return tuple(prepared)


def _brought_data(job: Staging, plan: Plan) -> str | None:
    """An SQLite file with tables that the project brought along; what drops tables must not run on it."""
    for path in plan.app.shared:
        place = job.folder.shared / path
        files = [place] if place.is_file() else sorted(place.rglob("*")) if place.is_dir() else []
        for file in files:
            if _has_tables(file):
                return file.relative_to(job.folder.shared).as_posix()
    return None


def _has_tables(file: Path) -> bool:
    if not file.is_file() or file.stat().st_size < 100:
        return False
    with file.open("rb") as stream:
        if stream.read(16) != b"SQLite format 3\0":
            return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            return bool(database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0])
    except sqlite3.Error:
        return False


def import_once(job: Staging, plan: Plan, made: ReleaseRecord) -> None:
    """Import the app once, with its real variables, before the workers do it at the same time.

    Many apps make their tables at import: several workers would race for an empty database, and the server die. It is
    also the last look before anything that serves is touched. The process leaves without waiting for threads.
    """
    if plan.app.ref is None or plan.server.kind == "uwsgi":  # some apps import a module that only uWSGI itself has
        return
    words = (made.python, "-c", _IMPORT)
    environment = release_environment(job.folder, made, job.environment, job.settings)
    with job.steps.step("import", "import it once, before its workers do"):
        _run(
            words,
            environment,
            job.source / plan.app.folder,
            float(plan.release.timeout),
            where="import",
            text=made.ref or "import",
        )


def _release_command(job: Staging, plan: Plan, made: ReleaseRecord, text: str) -> list[dict[str, Any]]:
    environment = release_environment(job.folder, made, job.environment, job.settings)
    report = job.release / "databases.json"
    found: list[dict[str, Any]] = []
    for words in split_commands(text, environment, where="release.commands"):
        variables = {**environment, contract.DATABASES_REPORT: str(report)}
        folder = job.source / plan.app.folder
        _run(
            through_exec(made, words),
            variables,
            folder,
            float(plan.release.timeout),
            where="release command",
            text=text,
        )
        found += (read_json(report) or {}).get("databases", [])
        report.unlink(missing_ok=True)
    return found


def _run(
    words: tuple[str, ...], environment: Mapping[str, str], folder: Path, timeout: float, *, where: str, text: str
) -> None:
    ended = LocalConnector().run(Command(words, {}, str(folder)), timeout=timeout, environment=environment)
    if ended.ok:
        return
    reason = f"did not end within {timeout:.0f} s" if ended.timed_out else f"ended with exit code {ended.code}"
    raise Failed(
        f"`{text}` {reason}",
        where=where,
        details=("last log lines:", *ended.lines[-20:]) if ended.lines else ("it printed nothing",),
        hint=_HINTS.get(where, f"try it by hand: carboy run {text}"),
    )
