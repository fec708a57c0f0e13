"""Why an aged project does not install or import, and what would make it."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

RemedyKind = Literal["packages", "python", "exclude-newer", "system"]


# When each Python came out: the versions of a time go with the Python of that time.
PYTHON_RELEASED: Final = (
    ("3.6", date(2016, 12, 23)),
    ("3.7", date(2018, 6, 27)),
    ("3.8", date(2019, 10, 14)),
    ("3.9", date(2020, 10, 5)),
    ("3.10", date(2021, 10, 4)),
    ("3.11", date(2022, 10, 24)),
    ("3.12", date(2023, 10, 2)),
    ("3.13", date(2024, 10, 7)),
    ("3.14", date(2025, 10, 7)),
)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to try.

    `packages`: add these to `app.packages` (a name with `; python_version < '0'` takes that package out).
    `python`: use this minor, with `wheels` not to be compiled. `exclude-newer`: versions of that date, with `python`
    where one fits that time. `system`: libraries of the operating system that a person must install, in `packages`.
    """

    kind: RemedyKind
    packages: tuple[str, ...] = ()
    python: str | None = None
    exclude_newer: str | None = None
    wheels: tuple[str, ...] = ()

    def words(self) -> str:
        """The remedy in words."""
        if self.kind == "python":
            return f"use Python {self.python}"
        if self.kind == "exclude-newer":
            python = f" with Python {self.python}" if self.python else ""
            return f"use the versions of {self.exclude_newer}{python}"
        if self.kind == "system":
            return f"install {', '.join(self.packages)} with the system's package manager"
        return f"add {', '.join(self.packages)}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`package` is what moved on, `reason` one sentence, `remedies` what to try, the likeliest first."""

    package: str
    reason: str
    remedies: tuple[Remedy, ...]
