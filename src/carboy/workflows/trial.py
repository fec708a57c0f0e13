"""The proof that `carboy init` asks for: the app imported in an environment of its own, before a plan is written."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from carboy.model.facts import Facts
from carboy.model.probe import ProbeReport
from carboy.release.stage import copy_source
from carboy.targets.local import driver
from carboy.targets.local.state import state_folder
from carboy.workflows.attempt import Staging
from carboy.workflows.project import open_project
from carboy.workflows.proving import prove
from carboy.workflows.steps import Steps

_NUMBER = 0  # of the copy that is tried and thrown away: releases count from 1


def trial(
    project: Path, *, app: str | None, steps: Steps, environment: Mapping[str, str]
) -> Callable[[Facts], ProbeReport | None]:
    """A function that proves facts about `project`; what it keeps is the environment, for the `up` that follows."""

    def try_it(facts: Facts) -> ProbeReport | None:
        folder = state_folder(open_project(project))
        folder.prepare()
        job = Staging(
            folder=folder,
            number=_NUMBER,
            tier="production",
            host="127.0.0.1",
            port=0,
            fingerprint="",
            overrides={"app.ref": app} if app else {},
            settings={},
            environment=environment,
            steps=steps,
        )
        with driver.locked(folder, "init"):
            shutil.rmtree(job.release, ignore_errors=True)
            try:
                copy_source(folder.project, job.source)
                return prove(job, facts).report
            finally:
                shutil.rmtree(job.release, ignore_errors=True)

    return try_it
