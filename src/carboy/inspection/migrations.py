"""The tool that migrates the schema, and how to run it."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DependenciesFact, MigrationsFact


def find_migrations(index: Index, dependencies: DependenciesFact, app: AppFact) -> MigrationsFact | None:
    """The migration tool, or None where there is none or it has nothing to run."""
    return None
