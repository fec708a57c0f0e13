"""Patience with compilers: a build from source that takes long is cut, and told as the failure of that build."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from carboy.model.command import Command, Completed
from carboy.remote.base import Connector, OnLine

BUILD_SECONDS = 180.0
_LEAST_SECONDS = 1.0
_STEP = re.compile(r"^\s*(Building|Built) ([A-Za-z0-9._-]+(?:==[\w.+!-]+)?)")


class Patience:
    """A connector whose commands end after `build_seconds` where something is still compiled then.

    Where nothing is, as in a long download, the command is run again for the time that is `left`: what uv has
    downloaded it keeps.
    """

    def __init__(
        self,
        connector: Connector,
        build_seconds: float = BUILD_SECONDS,
        left: Callable[[], float] = lambda: float("inf"),
    ) -> None:
        self._connector = connector
        self._build_seconds = build_seconds
        self._left = left

    def run(
        self,
        command: Command,
        *,
        timeout: float,
        on_line: OnLine | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """See `Connector.run`."""
        begun = time.monotonic()
        limit = self._within(min(timeout, self._build_seconds))
        answer = self._connector.run(command, timeout=limit, on_line=on_line, environment=environment)
        if not answer.timed_out:
            return answer
        compiled = _being_compiled(answer.lines)
        rest = self._within(timeout - (time.monotonic() - begun))
        if not compiled and rest > _LEAST_SECONDS:
            answer = self._connector.run(command, timeout=rest, on_line=on_line, environment=environment)
            compiled = _being_compiled(answer.lines) if answer.timed_out else ()
        return _told(answer, compiled, limit) if answer.timed_out else answer

    def _within(self, seconds: float) -> float:
        return max(_LEAST_SECONDS, min(seconds, self._left()))


def _being_compiled(lines: Iterable[str]) -> tuple[str, ...]:
    """The packages whose build began and did not end."""
    open_builds: dict[str, None] = {}
    for line in lines:
        if match := _STEP.match(line):
            if match[1] == "Building":
                open_builds[match[2]] = None
            else:
                open_builds.pop(match[2], None)
    return tuple(open_builds)


def _told(answer: Completed, compiled: tuple[str, ...], seconds: float) -> Completed:
    """The answer with the words of a failed build, by which it is recognised like any other."""
    said: tuple[str, ...] = ("error: there was no time left to install it",)
    if compiled:
        said = (f"Failed to build `{compiled[0]}`", f"error: compiling it takes longer than {seconds:.0f} seconds")
    return replace(answer, lines=(*answer.lines, *said), err=(*answer.err, *said))
