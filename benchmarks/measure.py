"""How the benchmarks measure: two things in turn, the best of each, as a ratio with its limit."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """`ours` and `theirs` in seconds; `limit` is the largest ratio that we promise."""

    ours: float
    theirs: float
    limit: float
    against: str

    @property
    def value(self) -> float:
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        return self.value <= self.limit


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], times: int) -> tuple[float, float]:
    """The best of so many rounds each, taken in turn, so that a busy moment of the machine hits both."""
    ours(), theirs()  # the first of each pays for caches
    rounds = [(ours(), theirs()) for _ in range(times)]
    return min(first for first, _ in rounds), min(second for _, second in rounds)


def timed(words: Sequence[str]) -> float:
    """Seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
