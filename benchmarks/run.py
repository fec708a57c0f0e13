"""Run benchmarks/bench_*.py, print their ratios and write them, with the conditions, into RESULTS.md.

Each holds `main() -> dict[str, Ratio]`. Ends with 1 where a ratio is above its limit.
"""

import datetime
import importlib
import os
import platform
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # run as a script, from anywhere

from benchmarks.measure import Ratio  # noqa: E402 - the line above makes it importable


def processor() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def conditions() -> list[str]:
    now = datetime.datetime.now(tz=datetime.UTC)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return [
        f"- {now:%Y-%m-%d %H:%M} UTC, load {load} before the start",
        f"- {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}",
    ]


def row(name: str, ratio: Ratio) -> str:
    verdict = "holds" if ratio.holds else "**does not hold**"
    numbers = f"{ratio.ours:.3f} s | {ratio.theirs:.3f} s | {ratio.value:.2f} | {ratio.limit:.1f}"
    return f"| {name} | {ratio.against} | {numbers} | {verdict} |"


def measured(names: list[str]) -> dict[str, Ratio]:
    found: dict[str, Ratio] = {}
    for path in sorted(HERE.glob("bench_*.py")):
        if names and path.stem.removeprefix("bench_") not in names:
            continue
        print(f"measuring {path.stem}", file=sys.stderr, flush=True)
        found |= importlib.import_module(f"benchmarks.{path.stem}").main()
    return found


def main(names: list[str]) -> int:
    told = conditions()
    found = measured(names)
    table = ["| what | against | ours | theirs | ratio | limit | |", "|---|---|---|---|---|---|---|"]
    table += [row(name, ratio) for name, ratio in found.items()]
    print("\n".join(table))
    if not names:
        heading = ["# What `make bench` printed last", "", "The best of several rounds, taken in turn.", ""]
        (HERE / "RESULTS.md").write_text("\n".join([*heading, *told, "", *table, ""]), encoding="utf-8")
    return 0 if all(ratio.holds for ratio in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
