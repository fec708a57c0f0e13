"""From a project to a staged release: read, plan, environment, proof, copy, build, data."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from carboy.inspection.reader import inspect_project
from carboy.model.facts import Facts
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import Plan
from carboy.release.stage import copy_source, link_shared
from carboy.servers.base import launch
from carboy.targets.local.extension import copy_extension
from carboy.targets.local.record import ProcessRecord, ReleaseRecord
from carboy.workflows.attempt import Staging, through_exec
from carboy.workflows.choosing import nothing_found
from carboy.workflows.preparing import import_once, prepare_data, run_build
from carboy.workflows.proving import Proven, prove
from carboy.workflows.resources import this_host
from carboy.workflows.retention import remove_leftovers
from carboy.workflows.surroundings import release_environment, wire
from carboy.workflows.words import split_command


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
        loaded = job.load(facts)
        if loaded.plan.app.ref is None and loaded.plan.app.command is None:
            raise nothing_found(facts.app, facts.warnings)
        copy_source(job.folder.project, job.source)
        step.note = loaded.plan.app.ref or loaded.plan.app.command or ""
    proven = prove(job, facts)
    with job.steps.step("build", "build the release") as step:
        made = _assemble(job, facts, proven)
        step.note = made.server
    prepared = prepare_data(job, proven.loaded.plan, made)
    import_once(job, proven.loaded.plan, made)
    return replace(made, prepared=prepared)


def _assemble(job: Staging, facts: Facts, proven: Proven) -> ReleaseRecord:
    """Link what outlives releases, run the build steps, render the artifacts, and write down what is to run."""
    loaded, environment = proven.loaded, proven.environment
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
    return _with_processes(job, _on_python(plan, environment.version), made)


def _on_python(plan: Plan, version: str) -> Plan:
    """The plan with the Python that the environment really has: servers differ in their options by it."""
    return replace(plan, app=replace(plan.app, python=version))


def _with_processes(job: Staging, plan: Plan, made: ReleaseRecord) -> ReleaseRecord:
    environment = release_environment(job.folder, made, job.environment, job.settings)
    folder = str(job.source / plan.app.folder)
    run_build(plan, environment, job)
    web, workers, notes = _web(job, plan, made, environment, folder)
    others = tuple(
        ProcessRecord(
            name=name,
            argv=through_exec(made, split_command(item.command, environment, where=f"processes.{name}.command")),
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
        return ProcessRecord(name="web", argv=through_exec(made, words), folder=folder, stop_timeout=stop), 0, ()
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
