"""Processes beside the web server: workers and schedulers."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, ProcessFact


def find_processes(index: Index, app: AppFact) -> tuple[ProcessFact, ...]:
    """Every process that production needs besides web."""
    return ()
