"""`carboy up`: the project, as it is, served by the production stack on this machine."""

import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from carboy import __version__
from carboy.errors import Failed, NeedsHuman
from carboy.release.gate import Asked
from carboy.release.stage import fingerprint
from carboy.targets.local import driver, record
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.state import StateFolder, state_folder
from carboy.workflows.launching import port_fault, refuse_taken_port, reserve_port, start_and_gate
from carboy.workflows.project import open_project
from carboy.workflows.steps import Steps
from carboy.workflows.surroundings import digest, release_environment, store_settings, stored_settings

FIRST_PORT = 8000
KEPT_RELEASES = 3


@dataclass(frozen=True, kw_only=True)
class UpRequest:
    """What was typed: `settings` are the app's variables, `overrides` plan keys; `port` None takes a free one."""

    project: Path
    tier: str = "production"
    host: str = "127.0.0.1"
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, object] = field(default_factory=dict)
    fresh: bool = False
    fix_requirements: bool = False


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """What serves now.

    `workers` is None where the project's own command serves, `seconds` are durations by step, `asked` is what the gate
    asked and was answered.
    """

    url: str
    release: int
    pid: int
    server: str
    ref: str | None
    workers: int | None
    already: bool
    seconds: dict[str, float]
    asked: tuple[Asked, ...]
    notes: tuple[str, ...]


def up(request: UpRequest, *, steps: Steps, environment: Mapping[str, str]) -> UpResult:
    """Serve the project; returns when it has passed the gate.

    Raises Failed with the reason; what served before serves again then.
    """
    project = open_project(request.project)
    folder = state_folder(project)
    folder.prepare()
    with driver.locked(folder, "up"):
        work = _Up(request, folder, steps, environment)
        try:
            return work.run()
        finally:
            work.close()


class _Up:
    def __init__(self, request: UpRequest, folder: StateFolder, steps: Steps, environment: Mapping[str, str]) -> None:
        self.request = request
        self.folder = folder
        self.steps = steps
        self.environment = environment
        self.begun = steps.clock()
        self.before = driver.running_state(folder)
        self.reserved: socket.socket | None = None
        # What --set gave earlier holds until it is set anew.
        self.settings = {**stored_settings(folder), **request.settings}
        self.port = self._port()

    def close(self) -> None:
        """Give the reserved port free, also where nothing was started on it."""
        if self.reserved is not None:
            self.reserved.close()

    def run(self) -> UpResult:
        mark = self._fingerprint()
        known = None if self.request.fresh or self.request.fix_requirements else self._known(mark)
        if known is not None and self._serves(known):
            return self._result(known, int((self.before or {})["pid"]), (), already=True)
        if known is not None:
            try:
                return self._launch(known)
            except NeedsHuman:
                raise
            except Failed as fault:
                self.steps.say("gate", f"the last release does not start as it is ({fault}); all is made anew")
        return self._launch(self._stage(mark))

    def _port(self) -> int:
        """The port asked for, else the one in use, else the last one, else the first that is free."""
        running = int(self.before["extra"]["port"]) if self.before is not None else None
        if self.request.port is not None:
            if self.request.port != running:  # said before anything is touched
                refuse_taken_port(self.request.host, self.request.port)
            return self.request.port
        if running is not None:
            return running
        last = record.newest_good(self.folder)
        if last is not None and port_fault(self.request.host, last.port) is None:
            return last.port
        self.reserved = reserve_port(self.request.host, FIRST_PORT)
        return int(self.reserved.getsockname()[1])

    def _fingerprint(self) -> str:
        wanted = [f"{k}={v}" for k, v in sorted(self.request.overrides.items())]
        ours = [f"{k}={v}" for k, v in sorted(self.environment.items()) if k.startswith("CARBOY_") and "__" in k]
        names = ",".join(sorted(self.settings))
        return fingerprint(
            self.folder.project,
            __version__,
            self.request.tier,
            self.request.host,
            str(self.port),
            names,
            *wanted,
            *ours,
        )

    def _known(self, mark: str) -> ReleaseRecord | None:
        last = record.newest_good(self.folder)
        return last if last is not None and last.fingerprint == mark else None

    def _serves(self, known: ReleaseRecord) -> bool:
        """Whether this very release runs already, with the very values it would be started with now."""
        if self.before is None or self.before["release"] != known.number:
            return False
        variables = release_environment(self.folder, known, self.environment, self.settings)
        return bool(self.before["extra"].get("digest") == digest(self.folder, known, variables, self.settings))

    def _stage(self, mark: str) -> ReleaseRecord:
        from carboy.workflows.attempt import Staging  # starting what is staged already must stay quick
        from carboy.workflows.retention import next_number
        from carboy.workflows.staging import stage

        job = Staging(
            folder=self.folder,
            number=next_number(self.folder),
            tier=self.request.tier,
            host=self.request.host,
            port=self.port,
            fingerprint=mark,
            overrides=self.request.overrides,
            settings=self.settings,
            environment=self.environment,
            steps=self.steps,
            fix_requirements=self.request.fix_requirements,
        )
        return stage(job)

    def _launch(self, wanted: ReleaseRecord) -> UpResult:
        running = driver.running_state(self.folder)
        previous = record.load(self.folder, int(running["release"])) if running is not None else None
        as_it_was = driver.web_environment(self.folder)
        driver.stop(self.folder)
        try:
            pid, asked = self._start(wanted)
        except BaseException as fault:  # an interrupt too: whoever was served goes on being served
            if previous is None or not previous.good:
                raise
            raise self._back_to(previous, as_it_was, fault) from fault
        good = replace(wanted, good=True)
        record.save(self.folder, good)
        store_settings(self.folder, self.settings)
        self._prune(good.number)
        return self._result(good, pid, asked)

    def _start(
        self, wanted: ReleaseRecord, variables: Mapping[str, str] | None = None
    ) -> tuple[int, tuple[Asked, ...]]:
        if variables is None:
            variables = release_environment(self.folder, wanted, self.environment, self.settings)
        mark = digest(self.folder, wanted, variables, self.settings)
        self.close()
        with self.steps.step("start", "start it and put it through the gate") as step:
            pid, report = start_and_gate(self.folder, wanted, variables, digest=mark)
            step.note = f"{len(report.workers)} workers, {len(report.asked)} answers"
        return pid, report.asked

    def _back_to(
        self, previous: ReleaseRecord, as_it_was: Mapping[str, str] | None, fault: BaseException
    ) -> BaseException:
        """Serve what served before, with the values it had, and say so in the error; exit code 4 where it cannot be."""
        try:
            self._start(previous, as_it_was)
        except Failed as again:
            return NeedsHuman(
                f"{fault}; release {previous.number}, which served before, does not start either: {again.what}",
                where="up", details=again.details, hint="carboy logs tells more; nothing serves now",
            )  # fmt: skip
        if not isinstance(fault, Failed):
            return fault
        return Failed(
            f"{fault.what} (release {previous.number} serves again)",
            where=fault.where, details=fault.details, hint=fault.hint,
        )  # fmt: skip

    def _prune(self, current: int) -> None:
        if len(self.folder.numbers()) > KEPT_RELEASES:
            from carboy.workflows.retention import prune  # as above

            prune(self.folder, KEPT_RELEASES, current)

    def _result(self, served: ReleaseRecord, pid: int, asked: tuple[Asked, ...], *, already: bool = False) -> UpResult:
        seconds = {**self.steps.seconds, "total": round(self.steps.clock() - self.begun, 3)}
        return UpResult(
            url=served.url,
            release=served.number,
            pid=pid,
            server=served.server,
            ref=served.ref,
            workers=served.workers or None,
            already=already,
            seconds=seconds,
            asked=asked,
            notes=served.notes,
        )


def result_to_json(result: UpResult) -> dict[str, Any]:
    """The value that `carboy up --json` prints."""
    data = asdict(result)
    data["gate"] = [{**item, "seconds": round(item["seconds"], 4)} for item in data.pop("asked")]
    return {"schema": 1, **data}
