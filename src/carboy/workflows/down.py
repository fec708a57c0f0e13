"""`carboy down`: stop what `up` started; its data, logs and environments stay."""

from collections.abc import Callable
from pathlib import Path

from carboy.targets.local import driver
from carboy.workflows.project import open_state


def down(path: Path, *, on_wait: Callable[[float], None] = lambda _: None) -> bool:
    """Stop everything; False where nothing ran. No process, port or lock is left."""
    folder = open_state(path)
    if not folder.exists():
        return False
    with driver.locked(folder, "down"):
        return driver.stop(folder, on_wait=on_wait)
