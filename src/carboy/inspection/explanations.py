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


_IMPORT: Final = {
    "app-run-at-import": Explanation(
        "Importing the module calls app.run(): a production server would start Flask's own server and never come back.",
        "Move the call under `if __name__ == '__main__':`.",
    ),
    "parses-argv-at-import": Explanation(
        "Importing the module reads the command line: the server's own arguments are not the app's, and it exits.",
        "Read the command line under `if __name__ == '__main__':`, or in a function that only your own start calls.",
    ),
    "asks-at-import": Explanation(
        "Importing the module asks on the terminal; a server has none, so that it hangs or ends.",
        "Take the answer from a variable or a file instead.",
    ),
}

EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType({**_IMPORT})
