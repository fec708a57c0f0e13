"""Lock the development tools: `requirements/*.in` and the tool's own dependencies become `requirements/*.txt`.

Every file is locked with hashes, for every system, without an index address. Versions are cooled for a week: a release
that was withdrawn or hijacked is mostly found out by then.
"""

import argparse
import datetime
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
COOLED_FOR = datetime.timedelta(days=7)
LOCKS = ("test", "dev")


def compile_command(name: str, until: datetime.date, *, upgrade: bool) -> list[str]:
    """The words that lock `requirements/NAME.in`; run in the repository, so that comments hold no absolute path."""
    words = [find_uv_bin(), "pip", "compile", "pyproject.toml", f"requirements/{name}.in", "--quiet"]
    words += ["--output-file", f"requirements/{name}.txt", "--generate-hashes", "--universal"]
    words += ["--python-version", "3.11", "--no-emit-index-url", "--exclude-newer", until.isoformat()]
    words += ["--custom-compile-command", "make lock"]
    return [*words, "--upgrade"] if upgrade else words


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--upgrade", action="store_true", help="take newer versions of everything")
    chosen = parser.parse_args(arguments)
    until = datetime.datetime.now(tz=datetime.UTC).date() - COOLED_FOR
    for name in LOCKS:
        subprocess.run(compile_command(name, until, upgrade=chosen.upgrade), cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
