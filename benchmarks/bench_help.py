"""`carboy --help` against the help of a bare click program."""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Ratio, in_turn, timed

BARE = """
import click

@click.group()
def main():
    "A program with one command."

@main.command()
def hello():
    "Say hello."

main()
"""


def main() -> dict[str, Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "bare.py")
        script.write_text(BARE, encoding="utf-8")
        carboy = [sys.executable, "-m", "carboy", "--help"]
        bare = [sys.executable, str(script), "--help"]
        ours, theirs = in_turn(lambda: timed(carboy), lambda: timed(bare), times=20)
    return {"carboy --help": Ratio(ours, theirs, 1.3, "a bare click program")}
