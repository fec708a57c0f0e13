"""The project that a word is about, and its state on this machine."""

from pathlib import Path

from carboy.errors import Failed, UsageFault
from carboy.targets.local import record
from carboy.targets.local.driver import running_state
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.state import StateFolder, state_folder


def open_project(path: Path) -> Path:
    """The project's folder, absolute. A file in it will do. Raises UsageFault where there is none."""
    if path.is_file():
        path = path.parent
    if not path.is_dir():
        raise UsageFault("no such folder", where=str(path), hint="name the folder that holds the Flask project")
    return path.resolve()


def open_state(path: Path) -> StateFolder:
    """The project's state; it may not exist yet. Raises UsageFault where a newer Carboy wrote it."""
    project = open_project(path)
    # From a folder inside the project its state is found as git finds its own.
    inside = next((place for place in (project, *project.parents) if state_folder(place).exists()), project)
    folder = state_folder(inside)
    folder.check_version()
    return folder


def current_release(folder: StateFolder) -> ReleaseRecord:
    """The release that runs, else the newest good one. Raises Failed where there is none."""
    state = running_state(folder)
    found = record.load(folder, int(state["release"])) if state is not None else record.newest_good(folder)
    if found is None:
        raise Failed("no release yet", where=str(folder.project), hint="carboy up")
    return found
