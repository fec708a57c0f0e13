"""A command: words, never shell text."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Command:
    """`argv` is run as it stands; `variables` are added to the environment; `folder` is the working directory."""

    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
