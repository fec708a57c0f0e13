"""Releases and environments that come and go: numbers, leftovers of a killed tool, pruning."""

import shutil
from pathlib import Path

from carboy.release.environment import prune_environments
from carboy.targets.local import record
from carboy.targets.local.state import StateFolder, read_json, write_json


def remove_leftovers(folder: StateFolder) -> None:
    """What a killed tool left half-made: releases without a record, environments beside their place."""
    for number in folder.numbers():
        if record.load(folder, number) is None:
            shutil.rmtree(folder.release(number), ignore_errors=True)
    for half in folder.envs.glob(".*"):
        shutil.rmtree(half, ignore_errors=True)


def next_number(folder: StateFolder) -> int:
    """Numbers are never used twice, also where the newest release was pruned or failed."""
    counter = folder.root / "counter.json"
    last = int((read_json(counter) or {}).get("last", 0))
    number = max([last, *folder.numbers()]) + 1
    write_json(counter, {"last": number})
    return number


def prune(folder: StateFolder, keep: int, current: int) -> None:
    """Remove releases beyond the newest `keep`, and environments that no kept release uses."""
    numbers = [n for n in folder.numbers() if n != current]
    for number in numbers[: max(0, len(numbers) - (keep - 1))]:
        shutil.rmtree(folder.release(number), ignore_errors=True)
    kept = (record.load(folder, number) for number in folder.numbers())
    prune_environments(folder.envs, frozenset(Path(item.bin).parent.name for item in kept if item is not None))
