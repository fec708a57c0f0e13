"""Warnings about the app itself: how it is found, started and served."""

from carboy.inspection.index import Index
from carboy.model.facts import AppFact, Warn


def find_app_warnings(index: Index, app: AppFact) -> tuple[Warn, ...]:
    """Everything reading can warn of about the app, in a fixed order."""
    return ()
