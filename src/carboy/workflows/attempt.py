"""One attempt to make a release: what every step of it needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carboy.model.facts import Facts
from carboy.model.probe import ProbeReport
from carboy.planfile.load import LoadedPlan, load_plan
from carboy.targets.local import contract
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.state import StateFolder
from carboy.workflows.steps import Steps


@dataclass
class Staging:
    """`number` is taken when it begins, and its folder goes when it fails. `settings` are the app's, from `--set`."""

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
    fix_requirements: bool = False

    @property
    def release(self) -> Path:
        return self.folder.release(self.number)

    @property
    def source(self) -> Path:
        """The copy keeps the project's name: some find themselves by the name of their folder."""
        return self.release / "source" / self.folder.project.name

    def load(
        self, facts: Facts, report: ProbeReport | None = None, more: Mapping[str, object] | None = None
    ) -> LoadedPlan:
        """The plan as the layers give it, with what `report` saw and with `more` keys set."""
        return load_plan(
            self.folder.project,
            tier=self.tier,
            facts=facts,
            environment={**self.environment, **self.settings},
            overrides={**(more or {}), **self.overrides},
            probe=report,
        )


def through_exec(made: ReleaseRecord, words: tuple[str, ...]) -> tuple[str, ...]:
    """`words` run by the extension, in the same environment as the server."""
    return (made.python, "-m", contract.EXEC_MODULE, *words)
