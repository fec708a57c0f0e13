"""A value that hides itself wherever it is shown."""

import re
from collections.abc import Mapping
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


_SECRET_WORDS: Final = frozenset(
    {"SECRET", "SECRETS", "PASSWORD", "PASSWORDS", "PASSWD", "PASSPHRASE", "PASS", "PWD", "PW", "TOKEN", "TOKENS"}
    | {"KEY", "KEYS", "APIKEY", "SALT", "CREDENTIAL", "CREDENTIALS", "DSN", "PEPPER"}
)
# What such a name ends with when it holds something about the secret and not the secret: TOKEN_EXPIRES, KEY_PREFIX.
_ABOUT: Final = frozenset(
    {"FILE", "PATH", "DIR", "PREFIX", "SUFFIX", "LENGTH", "SIZE", "EXPIRES", "EXPIRY", "EXPIRATION", "TTL", "TIMEOUT"}
    | {"HEADER", "NAME", "ALGORITHM", "ALGORITHMS", "LIFETIME", "AGE", "HOURS", "DAYS", "MINUTES", "SECONDS", "TYPE"}
    | {"ENABLED", "REQUIRED", "MIN", "MAX", "HASH", "SCHEMES", "LOCATION", "URL", "URI", "ENDPOINT", "ISSUER", "FIELD"}
)
_PUBLIC: Final = frozenset({"PUBLIC", "PUBLISHABLE", "SITE", "PARTITION", "PRIMARY", "SORT", "FOREIGN"})
_IN_ADDRESS: Final = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: SECRET_KEY does, SECRET_KEY_FILE and SITE_KEY do not."""
    words = [word for word in re.split(r"[^A-Z0-9]+", name.upper()) if word]
    if not words or words[-1] in _ABOUT or _PUBLIC.intersection(words):
        return False
    return any(word in _SECRET_WORDS or word.endswith(("PASSWORD", "SECRET", "TOKEN")) for word in words)


def holds_credentials(value: str) -> bool:
    """Whether a value is an address with a password in it, whatever the name of its variable."""
    return _IN_ADDRESS.search(value) is not None


def guarded(name: str, value: str) -> str | Secret:
    """The value, hidden where its name or its form says that it is a secret."""
    return Secret(value) if is_secret_name(name) or holds_credentials(value) else value


def revealed(values: Mapping[str, str | Secret]) -> dict[str, str]:
    """The same mapping with bare texts, for the moment a process is started and for nothing else."""
    return {
        name: value.reveal_to_the_process_environment() if isinstance(value, Secret) else value
        for name, value in values.items()
    }
