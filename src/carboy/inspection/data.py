"""Databases, caches and brokers that the app talks to."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DataFact, DependenciesFact


def find_data(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[DataFact, ...]:
    """The data stores that production uses, the main database first."""
    return ()
