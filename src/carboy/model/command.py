"""A command: words, never shell text."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Command:
    """`argv` is run as it stands; `variables` are added to the environment; `folder` is the working directory."""

    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended. `code` is negative for a signal, 127 where the program is missing, 126 where it cannot run.

    `out` and `err` are its lines, `lines` both in the order they came; of a long output the head and the end are kept.
    """

    code: int
    out: tuple[str, ...] = ()
    err: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    timed_out: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out
