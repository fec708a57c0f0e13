"""Hostile and broken projects as data, written into a folder."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[1] / "cases" / "hostile"


@dataclass(frozen=True)
class Hostile:
    """One case: what it holds, its files, what is expected of a probe."""

    name: str
    description: str
    files: dict[str, str]
    encodings: dict[str, str]
    expect: dict[str, Any]

    def write(self, folder: Path) -> Path:
        project = folder / self.name
        for path, text in self.files.items():
            file = project / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode(self.encodings.get(path, "utf-8")))
        return project


def hostile_cases() -> Iterator[Hostile]:
    for file in sorted(CASES.glob("*.toml")):
        data = tomllib.loads(file.read_text("utf-8"))
        yield Hostile(file.stem, data["description"], data["files"], data.get("encodings", {}), data["expect"])


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, to see that nothing was touched."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
