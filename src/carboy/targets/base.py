"""The table of targets and of what each can do."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ability:
    """Whether a target knows a word of the command line, and why not where it does not."""

    word: str
    able: bool
    reason: str = ""


LOCAL: Final = tuple(Ability(word, True) for word in ("up", "down", "status", "logs", "ps", "run", "shell"))

TARGETS: Final = {"local": LOCAL}
