"""One id for each request: taken over from the proxy when it is well formed, else made."""

import os
import re

_VALID = re.compile(r"[A-Za-z0-9._-]{8,128}").fullmatch


def valid(text: str) -> bool:
    """Whether a foreign id may enter log lines and headers."""
    return _VALID(text) is not None


def make() -> str:
    """A new id, 32 hexadecimal digits of chance: right after a fork too, as it keeps no state."""
    return os.urandom(16).hex()
