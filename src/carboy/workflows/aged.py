"""Aged projects: say what moved on, and with `--fix-requirements` find a set of versions that works and keep it."""

from collections.abc import Callable
from datetime import date

from carboy.errors import Failed
from carboy.inspection.aged import diagnose
from carboy.model.command import Command
from carboy.model.diagnosis import Diagnosis
from carboy.model.facts import Facts
from carboy.model.plan import App
from carboy.release.environment import Environment, EnvironmentRequest
from carboy.release.installing import InstallFailed
from carboy.release.working_set import working_set
from carboy.remote.local import LocalConnector
from carboy.targets.local.state import read_json, write_json
from carboy.workflows.attempt import Staging
from carboy.workflows.choosing import ProbeFailed

_KEYS = ("python", "packages", "exclude_newer")
_FILE = "working-set.json"


def explained(job: Staging, facts: Facts, fault: InstallFailed | ProbeFailed) -> Failed:
    """The same failure, with the package, the reason and the remedy where it is one of age."""
    python = fault.python if isinstance(fault, InstallFailed) else facts.python.version or "3.11"
    found = _diagnose(job, facts, fault.output, python)
    if found is None or not found.remedies:
        return fault
    words = [remedy.words() for remedy in found.remedies]
    automatic = any(remedy.kind != "system" for remedy in found.remedies)
    hint = "carboy up --fix-requirements finds a set that works and uses it" if automatic else words[0]
    return Failed(
        f"{found.reason} ({words[0]})" if automatic else found.reason,
        where=f"{fault.where}: {found.package}",
        details=fault.details,
        hint=hint,
    )


def _diagnose(job: Staging, facts: Facts, output: str, python: str) -> Diagnosis | None:
    return diagnose(
        output,
        requirements=facts.dependencies.requirements,
        python_version=python,
        last_commit=_last_commit(job),
    )


def recognised(facts: Facts, output: str, python: str) -> bool:
    """Whether the failure has a known sign of age: then it is not for want of a service or a secret."""
    return diagnose(output, requirements=facts.dependencies.requirements, python_version=python) is not None


def _last_commit(job: Staging) -> date | None:
    """The day of the project's last commit, or None where it is in no repository."""
    words = ("git", "-C", str(job.folder.project), "log", "-1", "--format=%cs", "--", ".")
    told = LocalConnector().run(Command(words), timeout=20)
    try:
        return date.fromisoformat(told.out[0]) if told.ok and told.out else None
    except ValueError:
        return None


def find_working_set(
    job: Staging,
    facts: Facts,
    request: EnvironmentRequest,
    *,
    imports: Callable[[Environment], str],
    server: Callable[[App], tuple[str, ...]],
    fault: InstallFailed | ProbeFailed,
) -> dict[str, object]:
    """Keys of the plan that give a set which installs and imports; kept in the state folder. `fault` began it.

    Raises Failed with everything that was tried where none does.
    """
    with job.steps.step("working-set", "look for a set of versions that works") as step:
        found = working_set(
            request,
            LocalConnector(),
            diagnose=lambda output, python: _diagnose(job, facts, output, python),
            imports=imports,
            server=server,
            failed=fault if isinstance(fault, InstallFailed) else None,
            on_step=lambda line: job.steps.say("working-set", line),
        )
        step.note = "; ".join(found.changes)
    keys = _keys(found.app)
    write_json(job.folder.root / _FILE, {"schema": 1, "keys": keys, "changes": list(found.changes)})
    return keys


def _keys(app: App) -> dict[str, object]:
    values = {f"app.{name}": getattr(app, name) for name in _KEYS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value}


def stored_set(job: Staging, facts: Facts) -> dict[str, object]:
    """The working set that was agreed to earlier, without the keys that a person has set since."""
    stored = dict((read_json(job.folder.root / _FILE) or {}).get("keys", {}))
    if not stored:
        return {}
    origins = job.load(facts).origins
    kept = {name: value for name, value in stored.items() if origins[name].layer in ("default", "detected")}
    if kept:
        shown = ", ".join(f"{name} = {value}" for name, value in kept.items())
        job.steps.say("working-set", f"with the set found by --fix-requirements ({shown})")
    return kept
