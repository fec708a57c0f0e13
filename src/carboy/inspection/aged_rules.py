"""The form of a rule about age: the sign in the failure, the reason, the remedy."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`sign` is searched in the failure; `{0}` in the reason is its first group.

    `packages` are tried first, then each of `otherwise`, then `pythons`; `system` is for a person.
    """

    sign: re.Pattern[str]
    package: str
    reason: str
    packages: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    otherwise: tuple[tuple[str, ...], ...] = ()


def rule(
    sign: str,
    package: str,
    reason: str,
    packages: tuple[str, ...] = (),
    pythons: tuple[str, ...] = (),
    system: tuple[str, ...] = (),
    otherwise: tuple[tuple[str, ...], ...] = (),
) -> Rule:
    return Rule(re.compile(sign, re.MULTILINE), package, reason, packages, pythons, system, otherwise)


def import_sign(names: str, module: str) -> str:
    return rf"cannot import name ['\"]({names})['\"] from ['\"]{module}['\"]"
