"""`carboy targets`: the table of abilities."""

from dataclasses import asdict
from typing import Any

from carboy.targets.base import TARGETS


def abilities() -> dict[str, list[dict[str, Any]]]:
    """For each target its words, whether it knows them, and why not."""
    return {name: [asdict(ability) for ability in words] for name, words in TARGETS.items()}
