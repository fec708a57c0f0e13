"""From a project to a staged release: read, plan, environment, proof, copy, build, data."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from carboy.errors import Failed
from carboy.inspection.probe import ProbeRequest, probe
from carboy.inspection.reader import inspect_project
from carboy.inspection.throwaway import throwaway_copy
from carboy.model.command import Command
from carboy.model.facts import Candidate, Facts
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.model.probe import ProbeReport
from carboy.planfile.generated import is_generable
from carboy.planfile.load import LoadedPlan, load_plan
from carboy.release.environment import Environment, EnvironmentRequest, build_environment
from carboy.release.interpreters import choose_interpreter, find_interpreters
from carboy.release.stage import copy_source, link_shared
from carboy.remote.local import LocalConnector
from carboy.servers.base import launch, requirements
from carboy.targets.local import contract, record
from carboy.targets.local.extension import copy_extension
from carboy.targets.local.record import ProcessRecord, ReleaseRecord
from carboy.targets.local.state import StateFolder, read_json, write_json
from carboy.workflows.choosing import choose, nothing_found
from carboy.workflows.resources import this_host
from carboy.workflows.steps import Steps
from carboy.workflows.surroundings import release_environment, wire
from carboy.workflows.words import split_command, split_commands

PROBE_DEADLINE = 60.0
BUILD_TIMEOUT = 1800.0


@dataclass
class Staging:
    """One attempt to make a release; `number` is taken when it begins, and its folder goes when it fails."""

    folder: StateFolder
    number: int
    tier: str
    host: str
    port: int
    fingerprint: str
    overrides: Mapping[str, object]
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    steps: Steps

    @property
    def release(self) -> Path:
        return self.folder.release(self.number)

    @property
    def source(self) -> Path:
        """The copy keeps the project's name: some find themselves by the name of their folder."""
        return self.release / "source" / self.folder.project.name


def stage(job: Staging) -> ReleaseRecord:
    """Everything up to the start. Raises Failed with what, where and what to do; then no trace of it is left."""
    remove_leftovers(job.folder)
    try:
        return _stage(job)
    except BaseException:
        shutil.rmtree(job.release, ignore_errors=True)
        raise


def _stage(job: Staging) -> ReleaseRecord:
    with job.steps.step("inspect", "read the project") as step:
        facts = inspect_project(job.folder.project)
        loaded = _load(job, facts, None)
        if loaded.plan.app.ref is None and loaded.plan.app.command is None:
            raise nothing_found(facts.app, facts.warnings)
        copy_source(job.folder.project, job.source)
        step.note = loaded.plan.app.ref or loaded.plan.app.command or ""
    environment = _environment(job, facts, loaded.plan)
    loaded = _prove(job, facts, loaded, environment)
    with job.steps.step("build", "build the release") as step:
        made = _assemble(job, facts, loaded, environment)
        step.note = made.server
    prepared = _prepare_data(job, loaded.plan, made)
    return replace(made, prepared=prepared)


def _load(job: Staging, facts: Facts, report: ProbeReport | None, ref: str | None = None) -> LoadedPlan:
    overrides = {**job.overrides, **({"app.ref": ref} if ref else {})}
    return load_plan(
        job.folder.project,
        tier=job.tier,
        facts=facts,
        environment={**job.environment, **job.settings},
        overrides=overrides,
        probe=report,
    )


def _environment(job: Staging, facts: Facts, plan: Plan) -> Environment:
    """The app's environment with its server in it."""
    with job.steps.step("environment", "make its environment") as step:
        installed = find_interpreters(job.environment.get("PATH", ""), Path.home())
        python = choose_interpreter(installed, plan.app.python, facts.python.requires).interpreter
        names = {item.name for item in facts.dependencies.requirements}
        server = requirements(plan, python.short, names) if plan.app.ref else ()
        request = EnvironmentRequest(
            source=job.source,
            envs=job.folder.envs,
            app=plan.app,
            server=server,
            requires=facts.python.requires,
            variables=dict(job.environment),
        )
        made = build_environment(request, LocalConnector(), lambda line: job.steps.say("environment", line))
        step.note = f"Python {made.version}{', reused' if made.reused else ''}"
    return made


def _prove(job: Staging, facts: Facts, loaded: LoadedPlan, environment: Environment) -> LoadedPlan:
    """Import the app in a throw-away copy; the plan may change by what is seen there."""
    if loaded.plan.app.ref is None:
        return loaded
    with job.steps.step("probe", "try its import, in a copy") as step, throwaway_copy(job.source) as copy:

        def prober(candidate: Candidate) -> ProbeReport:
            return probe(_probe_request(job, facts, loaded, candidate, environment, copy), LocalConnector())

        ref = loaded.plan.app.ref
        if loaded.origins["app.ref"].layer == "detected":
            chosen = choose(facts, prober)
        else:
            chosen = choose(_only(facts, loaded.plan), prober)
        step.note = f"{chosen.candidate.ref}, {len(chosen.report.routes)} routes"
    _refuse_missing(job, loaded, chosen.report)
    return _load(job, facts, chosen.report, None if chosen.candidate.ref == ref else chosen.candidate.ref)


def _refuse_missing(job: Staging, loaded: LoadedPlan, report: ProbeReport) -> None:
    """Variables that the import was seen to need, that nobody gave, and that cannot be made."""
    given = {*loaded.variables, *job.settings, *job.environment}
    missing = [name for name in report.placeholders if not {name, f"{name}_FILE"} & given and not is_generable(name)]
    if missing:
        raise Failed(
            f"the app does not start without {', '.join(missing)}",
            where="variables",
            hint=f"set it: {missing[0]}=value in .env, or carboy up --set {missing[0]}=value",
        )


def _only(facts: Facts, plan: Plan) -> Facts:
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


def _probe_request(
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
        deadline=PROBE_DEADLINE,
        try_pages=not loaded.plan.health.pages,
    )


def _assemble(job: Staging, facts: Facts, loaded: LoadedPlan, environment: Environment) -> ReleaseRecord:
    """Link what outlives releases, run the build steps, render the artifacts, and write down what is to run."""
    plan = loaded.plan
    runtime = job.release / "runtime"
    copy_extension(runtime)
    link_shared(job.source, job.folder.shared, plan.app.shared)
    made = ReleaseRecord(
        number=job.number,
        fingerprint=job.fingerprint,
        created=time.time(),
        name=plan.app.name or facts.name,
        tier=plan.tier,
        host=job.host,
        port=job.port,
        ref=plan.app.ref,
        reason=loaded.plan.server.reason,
        server=plan.server.kind if plan.app.ref else "its own command",
        workers=0,
        bin=str(environment.bin),
        python=str(environment.python),
        source=str(job.source),
        variables=wire(plan, release=job.number, source=job.source, runtime=runtime, port=job.port),
        plan_variables=dict(plan.variables),
        reads=tuple(sorted({item.name for item in facts.variables})),
        secrets=plan.secrets,
        processes=(),
        live=plan.health.live,
        ready=plan.health.ready,
        pages=plan.health.pages,
        static=plan.health.static,
        gate_timeout=float(plan.health.timeout),
        umask=int(plan.server.umask, 8),
        log_max_bytes=plan.logs.max_bytes,
        log_keep=plan.logs.keep,
        notes=(*loaded.notes, *environment.notes),
    )
    return _with_processes(job, plan, made)


def _with_processes(job: Staging, plan: Plan, made: ReleaseRecord) -> ReleaseRecord:
    environment = release_environment(job.folder, made, job.environment)
    folder = str(job.source / plan.app.folder)
    _run_build(plan, environment, job)
    web, workers, notes = _web(job, plan, made, environment, folder)
    others = tuple(
        ProcessRecord(
            name=name,
            argv=_through_exec(made, split_command(item.command, environment, where=f"processes.{name}.command")),
            folder=folder,
            scale=min(item.scale, 1) if item.once else item.scale,
            once=item.once,
            stop_timeout=float(item.stop_timeout),
        )
        for name, item in plan.processes.items()
        if name != "web"
    )
    label = plan.server.worker_class if plan.server.kind == "gunicorn" else ""
    server = f"{made.server} {label}".strip() if plan.app.ref else made.server
    return replace(made, processes=(web, *others), workers=workers, server=server, notes=(*made.notes, *notes))


def _web(
    job: Staging, plan: Plan, made: ReleaseRecord, environment: Mapping[str, str], folder: str
) -> tuple[ProcessRecord, int, tuple[str, ...]]:
    stop = float(plan.server.graceful_timeout) + 5
    if plan.app.ref is None:
        words = split_command(plan.app.command or "", environment, where="app.command")
        return ProcessRecord(name="web", argv=_through_exec(made, words), folder=folder, stop_timeout=stop), 0, ()
    artifacts = job.release / "artifacts"
    paths = Paths(bin=made.bin, artifacts=str(artifacts), source=str(job.source), run=str(job.folder.run))
    launched = launch(plan, this_host(), Listen(job.host, job.port), paths)
    write_artifacts(launched, artifacts)
    web = ProcessRecord(
        name="web",
        argv=launched.argv,
        folder=folder,
        variables=dict(launched.variables),
        stop_signal=launched.stop_signal,
        stop_timeout=stop,
    )
    return web, launched.workers, launched.notes


def write_artifacts(launched: Launch, folder: Path) -> None:
    for artifact in launched.artifacts:
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
        path.chmod(artifact.mode)


def _through_exec(made: ReleaseRecord, words: tuple[str, ...]) -> tuple[str, ...]:
    return (made.python, "-m", contract.EXEC_MODULE, *words)


def _run_build(plan: Plan, environment: Mapping[str, str], job: Staging) -> None:
    for text in plan.app.build:
        with job.steps.step("build-step", text):
            for words in split_commands(text, environment, where="app.build"):
                _run(words, environment, job.source, BUILD_TIMEOUT, where="build", text=text)


def _prepare_data(job: Staging, plan: Plan, made: ReleaseRecord) -> tuple[dict[str, Any], ...]:
    """The release commands, in order; those that lose data when they are repeated, once in the project's life."""
    done_file = job.folder.shared / ".carboy-initial.json"
    done = list((read_json(done_file) or {}).get("commands", []))
    prepared: list[dict[str, Any]] = []
    for text in (*(c for c in plan.release.initial if c not in done), *plan.release.commands):
        with job.steps.step("release-command", text):
            prepared += _release_command(job, plan, made, text)
        if text in plan.release.initial:
            done.append(text)
            write_json(done_file, {"schema": 1, "commands": done})
    return tuple(prepared)


def _release_command(job: Staging, plan: Plan, made: ReleaseRecord, text: str) -> list[dict[str, Any]]:
    environment = release_environment(job.folder, made, job.environment)
    report = job.release / "databases.json"
    found: list[dict[str, Any]] = []
    for words in split_commands(text, environment, where="release.commands"):
        variables = {**environment, contract.DATABASES_REPORT: str(report)}
        folder = job.source / plan.app.folder
        _run(
            _through_exec(made, words),
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
        details=ended.lines[-20:] or ("it printed nothing",),
        hint=f"try it by hand: carboy run {text}" if where == "release command" else "run it by hand in the project",
    )


def remove_leftovers(folder: StateFolder) -> None:
    """What a killed tool left half-made: releases without a record, environments beside their place."""
    for number in folder.numbers():
        if record.load(folder, number) is None:
            shutil.rmtree(folder.release(number), ignore_errors=True)
    for half in folder.envs.glob(".*"):
        shutil.rmtree(half, ignore_errors=True)


def next_number(folder: StateFolder) -> int:
    """Numbers are never used twice, also where the newest release was pruned or failed."""
    counter = folder.root / "counter.json"
    last = int((read_json(counter) or {}).get("last", 0))
    number = max([last, *folder.numbers()]) + 1
    write_json(counter, {"last": number})
    return number


def prune(folder: StateFolder, keep: int, current: int) -> None:
    """Remove releases beyond the newest `keep`, and environments that no kept release uses."""
    numbers = [n for n in folder.numbers() if n != current]
    for number in numbers[: max(0, len(numbers) - (keep - 1))]:
        shutil.rmtree(folder.release(number), ignore_errors=True)
    used = {item.bin for n in folder.numbers() if (item := record.load(folder, n)) is not None}
    for env in folder.envs.iterdir():
        if env.is_dir() and not any(Path(path).is_relative_to(env) for path in used):
            shutil.rmtree(env, ignore_errors=True)
