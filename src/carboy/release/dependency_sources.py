"""What each dependency manager's files ask for, as requirement and constraint lines."""

from collections.abc import Callable
from pathlib import Path

from carboy.errors import Failed
from carboy.model.plan import App
from carboy.release.requirement_files import Wanted, read_requirements


def read_wanted(root: Path, app: App) -> Wanted:
    """What `app.source` of the project in `root` asks for, read by the rules of `app.manager`."""
    if app.source is None or app.manager == "none":
        return Wanted()
    file = root / app.source
    if not file.is_file():
        raise Failed("is not there", where=app.source, hint="set app.source to the file that lists the dependencies")
    return _READERS[app.manager](file, root)


_READERS: dict[str, Callable[[Path, Path], Wanted]] = {
    "pip": read_requirements,
}
