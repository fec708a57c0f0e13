"""A proposal: partial values of a plan, each with the reason for it and the place it was read from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from carboy.model.facts import Evidence
from carboy.planfile.keys import Path, dotted


@dataclass(frozen=True, slots=True)
class Choice:
    """One key's value, why, and where that was read (`wsgi.py:3`; empty where no file says it)."""

    path: Path
    value: Any
    reason: str
    where: str

    @property
    def key(self) -> str:
        """As people write it."""
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the facts speak for, in the order of the file."""

    choices: tuple[Choice, ...]

    def get(self, *path: str) -> Choice | None:
        """The choice for one key, or None where nothing is proposed."""
        return next((choice for choice in self.choices if choice.path == path), None)


def chosen(path: Path, value: Any, reason: str, evidence: Evidence = ()) -> Iterator[Choice]:
    """The one choice, or none where there is no value."""
    if value is not None:
        yield Choice(path, value, reason, place(evidence))


def place(evidence: Evidence) -> str:
    """The first piece of evidence as `file:line`."""
    if not evidence:
        return ""
    first = evidence[0]
    return first.file if first.line is None else f"{first.file}:{first.line}"
