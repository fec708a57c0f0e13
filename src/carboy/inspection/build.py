"""Build steps of the front end."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, BuildFact, DependenciesFact


def find_build(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[BuildFact, ...]:
    """The steps whose results the app serves and git does not hold."""
    return ()
