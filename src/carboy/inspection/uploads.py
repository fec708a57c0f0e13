"""Folders inside the project that the running app writes."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DependenciesFact, FolderFact


def find_uploads(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[FolderFact, ...]:
    """Upload folders, instance folder, search indexes and log files inside the project."""
    return ()
