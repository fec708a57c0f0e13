"""A value that hides itself wherever it is shown."""

from typing import Final

MASK: Final = "********"


class Secret:
    """Holds a secret; `repr`, `str`, `format` and JSON give the mask.

    `reveal_to_the_process_environment` is the one way out, used where a process is started and nowhere else.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal_to_the_process_environment(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))
