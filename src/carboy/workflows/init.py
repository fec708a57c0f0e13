"""`carboy init`: look, try, propose, and write the plan down."""

import difflib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from carboy.errors import AnswerIsNo, Failed, UsageFault
from carboy.inspection.reader import inspect_project
from carboy.model.facts import Candidate, Facts
from carboy.model.probe import ProbeReport
from carboy.planfile.document import PLAN_FILE, read_document
from carboy.planfile.proposal import Proposal
from carboy.planfile.propose import choose, propose
from carboy.planfile.write import plan_text
from carboy.quoting import shell

SCHEMA: Final = 1
MOST_SHOWN: Final = 8  # candidates in an error
Prove = Callable[[Facts], ProbeReport | None]
_NOT_THE_APP: Final = ("no-app", "no-routes")


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `init` wrote, or would write: `diff` is empty where the file already says so."""

    path: Path
    text: str
    diff: str
    written: bool
    proposal: Proposal
    probe: ProbeReport | None
    notes: tuple[str, ...]


def init(
    project: Path,
    *,
    app: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    prove: Prove | None = None,
    system: str = sys.platform,
) -> InitResult:
    """Write carboy.toml for `project`.

    Raises UsageFault where one is there already, and AnswerIsNo, with what was found, where no app is sure; nothing
    is written then. `prove` imports the app and tells what it saw; without it the plan rests on reading alone.
    """
    project = project.parent if project.is_file() else project
    if not project.is_dir():
        raise UsageFault("no such folder", where=str(project), hint="name the project's folder: carboy init PATH")
    target = project / PLAN_FILE
    _refuse_existing(project, target, allowed=force or dry_run)
    facts = choose(inspect_project(project), app)
    report, untried = _proof(facts, prove)
    _require_sure(facts, report, named=app is not None)
    proposal = propose(facts, report, system=system)
    text = plan_text(proposal)
    diff = _diff(target, text)
    if diff and not dry_run:
        _replace(target, text)
    return InitResult(target, text, diff, bool(diff) and not dry_run, proposal, report, (*_notes(report), *untried))


def _proof(facts: Facts, prove: Prove | None) -> tuple[ProbeReport | None, tuple[str, ...]]:
    """What the probe saw; where no environment could be made or the import failed, a note that says so."""
    if prove is None or facts.app.ref is None:
        return None, ()
    try:
        return prove(facts), ()
    except AnswerIsNo:
        raise
    except Failed as fault:
        return None, (f"the plan is not proven: {fault}",)


def _refuse_existing(project: Path, target: Path, *, allowed: bool) -> None:
    if target.exists() and not allowed:
        raise UsageFault(
            "there is a plan already, and it is yours",
            where=PLAN_FILE,
            hint="carboy init --dry-run shows what would change, carboy init --force writes it anew",
        )
    if not target.exists() and read_document(project) is not None:
        raise UsageFault(
            "there is a plan already, in [tool.carboy]",
            where="pyproject.toml",
            hint="carboy config show shows it; take the table out to have a file of its own written",
        )


def _require_sure(facts: Facts, report: ProbeReport | None, *, named: bool) -> None:
    """One app by name, by proof or by clear evidence; a guess is never written down as if it were known."""
    app = facts.app
    what = ""
    if app.ref is None and app.command is None:
        what = f"no Flask app found: {app.reason}"
    elif report is not None and report.status in _NOT_THE_APP:
        what = report.message or f"there is no app at {app.ref}"
    elif not (named or (report is not None and report.status == "ok") or app.certainty in ("certain", "likely")):
        what = f"not sure which object is the app: {app.reason}"
    if what:
        raise AnswerIsNo(what, where="app", hint=_ask(app.candidates), details=_found(facts))


def _ask(candidates: tuple[Candidate, ...]) -> str:
    if not candidates:
        return "say which it is: carboy init --app module:attribute"
    best = candidates[0]
    if sum(each.ref == best.ref for each in candidates) > 1:
        return (
            f"several have one name: run it in the folder of the one you mean, such as carboy init {best.folder or '.'}"
        )
    return f"say which it is: carboy init --app {shell([best.ref])}"


def _found(facts: Facts) -> tuple[str, ...]:
    lines = []
    for candidate in facts.app.candidates[:MOST_SHOWN]:
        first = candidate.evidence[0] if candidate.evidence else None
        place = f" [{first.file}:{first.line}]" if first and first.line else f" [{first.file}]" if first else ""
        lines.append(f"{candidate.ref}{place}  {candidate.reason} ({candidate.certainty})")
    more = len(facts.app.candidates) - MOST_SHOWN
    return (*lines, f"and {more} more: carboy inspect shows all") if more > 0 else tuple(lines)


def _notes(report: ProbeReport | None) -> tuple[str, ...]:
    if report is None or report.status == "ok":
        return ()
    return (f"the plan is not proven: {report.message or report.status}",)


def _diff(target: Path, text: str) -> str:
    old = target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""
    name = PLAN_FILE if old else "/dev/null"
    return "".join(difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, PLAN_FILE))


def _replace(target: Path, text: str) -> None:
    """Write beside and rename: a reader sees the old file or the new one, never half of it. Raises Failed."""
    real = target.resolve()  # of a linked file the content is replaced, not the link
    try:
        handle, name = tempfile.mkstemp(prefix=".carboy-", suffix=".toml", dir=real.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        beside.chmod(real.stat().st_mode & 0o777 if real.exists() else 0o644)
        beside.replace(real)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> Failed:
    hint = "carboy init --dry-run shows the text, to be put where it can be written"
    return Failed(f"cannot be written: {error.strerror}", where=str(target), hint=hint)


def init_to_json(result: InitResult) -> dict[str, Any]:
    """The value that `carboy init --json` prints."""
    probe = result.probe
    return {
        "schema": SCHEMA,
        "path": str(result.path),
        "written": result.written,
        "text": result.text,
        "diff": result.diff,
        "choices": [
            {"key": each.key, "value": _plain(each.value), "reason": each.reason, "where": each.where or None}
            for each in result.proposal.choices
        ],
        "probe": None if probe is None else {"status": probe.status, "message": probe.message},
        "notes": list(result.notes),
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
