"""An artifact: a file made from the Plan."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """`path` is POSIX and relative to where artifacts are written; `mode` an octal permission."""

    path: str
    text: str
    mode: int = 0o644
