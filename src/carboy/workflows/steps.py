"""The steps of long work, with their times, told to whoever shows them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class StepEvent:
    """A step begins, is done (with a note for people) or failed; `seconds` is its duration."""

    name: str
    title: str
    state: Literal["begun", "done", "failed", "note"]
    seconds: float | None = None
    note: str = ""


@dataclass
class Step:
    """The step that runs; `note` may be set until it ends."""

    note: str = ""


@dataclass
class Steps:
    """Times each step; `seconds` maps their names to durations."""

    show: Callable[[StepEvent], None]
    clock: Callable[[], float] = time.monotonic
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Step]:
        current = Step()
        self.show(StepEvent(name, title, "begun"))
        begun = self.clock()
        try:
            yield current
        except BaseException:
            self.show(StepEvent(name, title, "failed", self.clock() - begun, current.note))
            raise
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + self.clock() - begun, 3)
        self.show(StepEvent(name, title, "done", self.seconds[name], current.note))

    def say(self, name: str, text: str) -> None:
        self.show(StepEvent(name, text, "note"))
