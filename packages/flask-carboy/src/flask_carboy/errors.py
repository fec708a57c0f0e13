"""What stops a start."""

import sys


class StartFault(Exception):
    """The process cannot start as it was told to; the message is one sentence that never holds a secret."""


def say(sentence: str) -> None:
    """Write one line for the operator."""
    sys.stderr.write("carboy: " + sentence + "\n")
    sys.stderr.flush()
