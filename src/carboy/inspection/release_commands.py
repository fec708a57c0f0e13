"""The project's own commands that prepare its data."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DependenciesFact, ReleaseCommandFact


def find_release_commands(
    index: Index, dependencies: DependenciesFact, app: AppFact
) -> tuple[ReleaseCommandFact, ...]:
    """Commands to run before a release serves: schema first, then reference data."""
    return ()
