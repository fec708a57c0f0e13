"""Static files: which address serves which folder."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DependenciesFact, StaticFact


def find_static(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[StaticFact, ...]:
    """Static folders of the app and of its blueprints, the app's first."""
    return ()
