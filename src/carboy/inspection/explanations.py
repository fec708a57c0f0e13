"""What the codes of warnings mean, and what to do: the text behind `carboy explain CODE`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Explanation:
    """`meaning` says why it hurts in production, `remedy` what to do."""

    meaning: str
    remedy: str


EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType({})
