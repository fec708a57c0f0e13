"""The app's environment, and the proof that the app imports in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from carboy.errors import Failed
from carboy.inspection.probe import ProbeRequest, probe
from carboy.inspection.throwaway import throwaway_copy
from carboy.model.facts import Candidate, Facts
from carboy.model.plan import Plan
from carboy.model.probe import ProbeReport
from carboy.model.secret import Secret, guarded
from carboy.planfile.generated import is_generable
from carboy.planfile.load import LoadedPlan
from carboy.release.environment import Environment, EnvironmentRequest, build_environment
from carboy.release.installing import InstallFailed
from carboy.release.interpreters import choose_interpreter, find_interpreters
from carboy.release.patience import Patience
from carboy.remote.local import LocalConnector
from carboy.servers.base import requirements
from carboy.workflows.aged import explained, find_working_set, recognised, stored_set
from carboy.workflows.attempt import Staging
from carboy.workflows.choosing import Chosen, ProbeFailed, choose


@dataclass(frozen=True)
class Proven:
    """A plan whose app was seen to import, and the environment it imports in."""

    loaded: LoadedPlan
    environment: Environment
    report: ProbeReport | None


def prove(job: Staging, facts: Facts) -> Proven:
    """Make the environment and import the app in it, in a throw-away copy. The plan follows what is seen there.

    Raises Failed with the reason; with `--fix-requirements` a failure of age is answered by a set that works.
    """
    more: Mapping[str, object] = stored_set(job, facts)
    try:
        return _prove(job, facts, more)
    except (InstallFailed, ProbeFailed) as fault:
        if not job.fix_requirements:
            raise explained(job, facts, fault) from fault
        more = _mended(job, facts, job.load(facts, None, more), fault)
    return _prove(job, facts, more)


def _mended(job: Staging, facts: Facts, loaded: LoadedPlan, fault: InstallFailed | ProbeFailed) -> Mapping[str, object]:
    plan = loaded.plan
    return find_working_set(
        job,
        facts,
        environment_request(job, facts, plan),
        imports=lambda made: import_fault(job, facts, loaded, made),
        server=lambda app: _server(job, facts, replace(plan, app=app)),
        fault=fault,
    )


def _prove(job: Staging, facts: Facts, more: Mapping[str, object]) -> Proven:
    loaded = job.load(facts, None, more)
    environment = make_environment(job, facts, loaded.plan)
    if loaded.plan.app.ref is None:
        return Proven(loaded, environment, None)
    with job.steps.step("probe", "try its import, in a copy") as step:
        try:
            chosen = _choose(job, facts, loaded, environment)
        except ProbeFailed as fault:
            if not _proves_nothing(job, facts, loaded, fault, environment):
                raise
            step.note = f"unknown without its services and secrets ({fault.what}); the gate is the proof"
            return Proven(loaded, environment, None)
        step.note = f"{chosen.candidate.ref}, {len(chosen.report.routes)} routes"
    refuse_missing(job, loaded, chosen.report)
    other = {} if chosen.candidate.ref == loaded.plan.app.ref else {"app.ref": chosen.candidate.ref}
    proven = job.load(facts, chosen.report, {**more, **other})
    if _server(job, facts, proven.plan) != _server(job, facts, loaded.plan):  # the probe saw what reading did not
        environment = make_environment(job, facts, proven.plan)
    return Proven(proven, environment, chosen.report)


def make_environment(job: Staging, facts: Facts, plan: Plan) -> Environment:
    """The app's environment with its server in it."""
    with job.steps.step("environment", "make its environment") as step:
        request = environment_request(job, facts, plan)
        # A set with wheels is looked for rather than waiting for a compiler, where that was agreed to.
        connector = Patience(LocalConnector()) if job.fix_requirements else LocalConnector()
        made = build_environment(request, connector, lambda line: job.steps.say("environment", line))
        step.note = f"Python {made.version}{', reused' if made.reused else ''}"
    return made


def environment_request(job: Staging, facts: Facts, plan: Plan) -> EnvironmentRequest:
    return EnvironmentRequest(
        source=job.source,
        envs=job.folder.envs,
        app=plan.app,
        server=_server(job, facts, plan),
        requires=facts.python.requires,
        variables=dict(job.environment),
    )


def _server(job: Staging, facts: Facts, plan: Plan) -> tuple[str, ...]:
    """What the server needs, for the Python that the environment will have."""
    if plan.app.ref is None:
        return ()
    installed = find_interpreters(job.environment.get("PATH", ""), Path.home())
    python = choose_interpreter(installed, plan.app.python, facts.python.requires).interpreter
    return requirements(plan, python.short, {item.name for item in facts.dependencies.requirements})


def _choose(job: Staging, facts: Facts, loaded: LoadedPlan, environment: Environment) -> Chosen:
    detected = loaded.origins["app.ref"].layer == "detected"
    with throwaway_copy(job.source) as copy:

        def prober(candidate: Candidate) -> ProbeReport:
            return probe(probe_request(job, facts, loaded, candidate, environment, copy), LocalConnector())

        return choose(facts if detected else only(facts, loaded.plan), prober)


def _proves_nothing(
    job: Staging, facts: Facts, loaded: LoadedPlan, fault: ProbeFailed, environment: Environment
) -> bool:
    """Whether the import may have failed only for what a probe must not have: secrets, and the network."""
    if recognised(facts, fault.output, environment.version):
        return False
    sure = loaded.origins["app.ref"].layer != "detected" or facts.app.certainty in ("certain", "likely")
    withheld = any(isinstance(value, Secret) for value in loaded.variables.values()) or any(
        isinstance(guarded(name, value), Secret) for name, value in job.settings.items()
    )
    failed_inside = fault.report is not None and fault.report.status == "import-error" and not fault.report.missing
    return sure and (fault.for_want_of_a_service or (withheld and failed_inside))


def import_fault(job: Staging, facts: Facts, loaded: LoadedPlan, environment: Environment) -> str:
    """What the import said in `environment`; "" where it went."""
    try:
        _choose(job, facts, loaded, environment)
    except ProbeFailed as fault:
        return "" if _proves_nothing(job, facts, loaded, fault, environment) else fault.output
    except Failed:  # several good ones: they import, and that is all that is asked here
        return ""
    return ""


def refuse_missing(job: Staging, loaded: LoadedPlan, report: ProbeReport) -> None:
    """Variables that the import was seen to need, that nobody gave, and that cannot be made."""
    given = {*loaded.variables, *job.settings, *job.environment}
    missing = [name for name in report.placeholders if not {name, f"{name}_FILE"} & given and not is_generable(name)]
    if missing:
        raise Failed(
            f"the app does not start without {', '.join(missing)}",
            where="variables",
            hint=f"set it: {missing[0]}=value in .env, or carboy up --set {missing[0]}=value",
        )


def only(facts: Facts, plan: Plan) -> Facts:
    """The facts as if the reference that a person named were the only candidate."""
    app = plan.app
    candidate = Candidate(
        ref=app.ref or "",
        folder=app.folder,
        interface=app.interface,
        factory="(" in (app.ref or ""),
        certainty="certain",
        reason="named by you",
        evidence=(),
    )
    return replace(facts, app=replace(facts.app, certainty="certain", candidates=(candidate,)))


def probe_request(
    job: Staging, facts: Facts, loaded: LoadedPlan, candidate: Candidate, environment: Environment, copy: Path
) -> ProbeRequest:
    """Development values or placeholders, never a secret."""
    known = tuple(sorted({item.name for item in facts.variables} | {*loaded.plan.secrets}))
    public = {name: value for name, value in loaded.variables.items() if isinstance(value, str)}
    return ProbeRequest(
        python=environment.python,
        source=copy,
        ref=candidate.ref,
        folder=candidate.folder,
        import_paths=loaded.plan.app.import_paths,
        variables=public,
        known=known,
        inherited=dict(job.environment),
        project=job.folder.project,
        deadline=float(loaded.plan.health.timeout),
        try_pages=not loaded.plan.health.pages,
    )
