"""Which object is served: reading proposes, a probe proves, and where two answers are as good a person decides."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from carboy.errors import Failed
from carboy.model.facts import AppFact, Candidate, Facts, Warn
from carboy.model.probe import ProbeReport

MOST_TRIED = 4
_SERVICE = re.compile(
    r"OperationalError|InterfaceError|[Cc]onnection ?[Rr]efused|could not connect|Name or service not known|gaierror"
    r"|name resolution|ServerSelectionTimeout"
    r"|Network is unreachable|NoBrokersAvailable|\bConnectionError\b|MaxRetryError"
)

Prober = Callable[[Candidate], ProbeReport]


@dataclass(frozen=True)
class Chosen:
    """The proven candidate, what its probe saw, and why it was taken."""

    candidate: Candidate
    report: ProbeReport
    reason: str


def choose(facts: Facts, prober: Prober) -> Chosen:
    """The one object to serve. Raises Failed with what was found and the word that is needed."""
    candidates = facts.app.candidates[:MOST_TRIED]
    if not candidates:
        raise nothing_found(facts.app, facts.warnings)
    best = candidates[0]
    if facts.app.certainty == "guess" and any(item.code == "own-command-only" for item in facts.warnings):
        raise half_an_app(facts.app)  # it would import, and its pages would not work
    report = prober(best)
    if report.status == "ok" and facts.app.certainty in ("certain", "likely"):
        return Chosen(best, report, best.reason)
    if report.status not in ("ok", "no-app", "no-routes"):
        raise probe_failed(best, report)
    good = [Chosen(best, report, best.reason)] if report.status == "ok" else []
    good += _others(candidates[1:], prober)
    return _the_only(good, best, report)


def _others(candidates: tuple[Candidate, ...], prober: Prober) -> list[Chosen]:
    tried = ((candidate, prober(candidate)) for candidate in candidates)
    return [Chosen(candidate, report, candidate.reason) for candidate, report in tried if report.status == "ok"]


def _the_only(good: list[Chosen], best: Candidate, report: ProbeReport) -> Chosen:
    """One proven candidate, or several that are the same app by its routes; anything else needs a person."""
    if not good:
        raise probe_failed(best, report)
    if len({_identity(chosen.report) for chosen in good}) > 1:
        raise several_found(tuple(chosen.candidate for chosen in good))
    first = good[0]
    if first.candidate is best:
        return first
    return Chosen(first.candidate, first.report, f"{best.ref} was tried first: {report.message}")


def _identity(report: ProbeReport) -> tuple[str | None, frozenset[tuple[str, tuple[str, ...]]]]:
    """Two references to the same app have the same import name and the same routes."""
    return report.import_name, frozenset((route.rule, route.methods) for route in report.routes)


def nothing_found(app: AppFact, warnings: tuple[Warn, ...] = ()) -> Failed:
    """What was looked for, and the files that could not be read, since the app may be in one of them."""
    return Failed(
        f"no Flask app found: {app.reason}",
        where="app",
        details=tuple(_warning(item) for item in warnings if item.code == "syntax-error"),
        hint="name it: carboy up --app module:attribute, or app.ref in carboy.toml",
    )


def _warning(item: Warn) -> str:
    place = item.evidence[0] if item.evidence else None
    where = f"{place.file}:{place.line or 1}: " if place else ""
    return f"{where}{item.message}"


def half_an_app(app: AppFact) -> Failed:
    return Failed(
        f"not sure what to serve: {app.reason}",
        where="app",
        hint=f"say which in carboy.toml: [app] command or ref; or carboy up --app {app.ref}",
    )


def several_found(candidates: tuple[Candidate, ...]) -> Failed:
    lines = tuple(_line(candidate) for candidate in candidates)
    return Failed(
        "several apps import, each with routes of its own, and nothing says which one is served",
        where="app",
        details=lines,
        hint=f"say which: carboy up --app {candidates[0].ref}",
    )


def _line(candidate: Candidate) -> str:
    place = candidate.evidence[0] if candidate.evidence else None
    where = f"{place.file}:{place.line}" if place and place.line else place.file if place else ""
    return f"{candidate.ref}  {where}  {candidate.reason}"


_HINTS = {
    "missing-variable": "set it: NAME=value in .env, or carboy up --set NAME=value",
    "timeout": "the import must end: move what it waits for out of the module, or into `if __name__ == '__main__'`",
    "exited": "a module must not exit when it is imported: move that under `if __name__ == '__main__'`",
    "no-app": "name the app: carboy up --app module:attribute",
    "no-routes": "name the object that has the routes: carboy up --app module:attribute",
    "import-error": "the traceback names the line; a missing module goes into the dependency file or app.packages",
    "crashed": "run it by hand to see more: carboy run python -c 'import MODULE'",
}


class ProbeFailed(Failed):
    """The import failed. `output` is all there is to diagnose it by, `report` what the probe saw."""

    output = ""
    report: ProbeReport | None = None

    @property
    def for_want_of_a_service(self) -> bool:
        """Whether it failed at a database or another server, which the probe cannot reach: that proves nothing."""
        return self.report is not None and self.report.status == "import-error" and bool(_SERVICE.search(self.output))


def probe_failed(candidate: Candidate, report: ProbeReport) -> ProbeFailed:
    details = [line for line in report.traceback.splitlines() if line.strip()]
    if report.output:
        details += ["it printed:", *(f"  {line}" for line in report.output[-8:])]
    fault = ProbeFailed(
        report.message or report.status,
        where=f"app: {candidate.ref}",
        details=tuple(details),
        hint=_HINTS.get(report.status, ""),
    )
    fault.report = report
    fault.output = "\n".join([report.traceback, report.message, *report.output])
    return fault
