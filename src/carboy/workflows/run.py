"""`carboy run` and `carboy shell`: one command in the environment of the app that runs."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from carboy.errors import UsageFault
from carboy.targets.local import contract
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.state import StateFolder
from carboy.workflows.project import current_release, open_state
from carboy.workflows.surroundings import release_environment


def run(path: Path, words: tuple[str, ...], *, environment: Mapping[str, str]) -> int:
    """Run `words` with the terminal as it is; the exit code of the command."""
    if not words:
        raise UsageFault("no command", where="run", hint="carboy run flask routes")
    folder = open_state(path)
    record = current_release(folder)
    variables = release_environment(folder, record, environment)
    return _call(record, (record.python, "-m", contract.EXEC_MODULE, *words), variables)


def shell(path: Path, *, environment: Mapping[str, str]) -> int:
    """A Python shell with the app pushed, as `flask shell` gives it."""
    folder = open_state(path)
    record = current_release(folder)
    _refuse_without_app(folder, record)
    variables = release_environment(folder, record, environment)
    return _call(record, (record.python, "-m", contract.EXEC_MODULE, "flask", "shell"), variables)


def _refuse_without_app(folder: StateFolder, record: ReleaseRecord) -> None:
    if record.ref is None:
        raise UsageFault(
            "the project is started by its own command and has no app to push",
            where=str(folder.project),
            hint="carboy run python",
        )


def _call(record: ReleaseRecord, argv: tuple[str, ...], variables: Mapping[str, str]) -> int:
    code = subprocess.call(argv, cwd=record.processes[0].folder, env=dict(variables))
    return 128 - code if code < 0 else code
