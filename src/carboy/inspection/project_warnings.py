"""Warnings: what was read and will hurt in production."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DependenciesFact, Warn


def find_warnings(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[Warn, ...]:
    """Everything reading can warn of, in a fixed order."""
    return ()
