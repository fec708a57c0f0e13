"""Where a value came from. On its own, because starting a known release needs it and none of the validation."""

from dataclasses import dataclass
from typing import Literal

Layer = Literal["default", "detected", "plan file", "tier section", "dotenv", "environment", "command line"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Which layer a value came from: `where` is its place (`carboy.toml:12`), `reason` why, for detected ones."""

    layer: Layer
    where: str = ""
    reason: str = ""
