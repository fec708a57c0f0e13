"""The variables that the app reads from its environment."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, DependenciesFact, VariableFact


def find_variables(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[VariableFact, ...]:
    """Every variable the app reads, required ones first."""
    return ()
