"""What can go wrong, as values that know their exit code, their place and the next step."""

from typing import Final

EXIT_DONE: Final = 0
EXIT_NO: Final = 1
EXIT_USAGE: Final = 2
EXIT_FAILED: Final = 3
EXIT_HUMAN: Final = 4
EXIT_BUG: Final = 70


class CarboyError(Exception):
    """A fault the user can act on.

    `what` says what is wrong, `where` names the place (file, key, step), `hint` is the next step to try.
    Printed as `error: WHERE: WHAT` and `try: HINT`; never with a traceback.
    """

    exit_code = EXIT_FAILED

    def __init__(self, what: str, *, where: str = "", hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.details = details  # further lines for people: log lines, the answer of a probe

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class AnswerIsNo(CarboyError):
    """The question was asked properly and the answer is no: findings, drift, nothing found."""

    exit_code = EXIT_NO


class UsageFault(CarboyError):
    """The command line or the plan file cannot be used as written."""

    exit_code = EXIT_USAGE


class Failed(CarboyError):
    """A step failed; users see what they saw before."""

    exit_code = EXIT_FAILED


class NeedsHuman(CarboyError):
    """A step failed and left something that a person must look at."""

    exit_code = EXIT_HUMAN


class PlanFaults(UsageFault):
    """All faults of one plan file, reported at once.

    `faults` holds one line each, already with file and line: `carboy.toml:12: server.kinds: unknown key ...`.
    """

    def __init__(self, faults: tuple[str, ...], *, hint: str = "") -> None:
        super().__init__(f"{len(faults)} fault{'s' if len(faults) != 1 else ''} in the plan", details=faults, hint=hint)
        self.faults = faults
