"""What every connector can do: run a command where the release lives and say how it ended."""

from collections.abc import Callable, Mapping
from typing import Protocol

from carboy.model.command import Command, Completed

__all__ = ["Completed", "Connector", "OnLine"]

OnLine = Callable[[str], None]


class Connector(Protocol):
    """A way to a host."""

    def run(
        self,
        command: Command,
        *,
        timeout: float,
        on_line: OnLine | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run `command` with a closed stdin; whatever it started is gone when this returns.

        `environment` is the whole environment (None: the one of this process), to which the command's own variables
        are added. A program that is missing or cannot be run is an answer (127, 126), not an exception.
        """
