"""Where production's dependencies come from."""

from carboy.inspection.index import Index
from carboy.model.facts import DependenciesFact


def find_dependencies(index: Index, folder: str = "") -> DependenciesFact:
    """The file that installs production's set, and what it names.

    `folder` is the app's, where it is known already: the dependency file nearest to it wins.
    """
    source = "requirements.txt" if index.has("requirements.txt") else None
    return DependenciesFact(source, "pip" if source else "none", (source,) if source else (), (), ())
