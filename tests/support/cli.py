"""The installed `carboy` command, run as a user runs it."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil

CARBOY = str(Path(sys.executable).with_name("carboy"))


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        data = json.loads(self.out)
        assert isinstance(data, dict)
        return data


def carboy(*words: str | Path, timeout: float = 240, environment: Mapping[str, str] | None = None) -> Ran:
    """Run one command to its end, with stdin closed; a traceback in its output is always a failure."""
    ended = subprocess.run(
        [CARBOY, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(environment or {})},
    )
    ran = Ran(ended.returncode, ended.stdout, ended.stderr)
    assert "Traceback (most recent call last)" not in ran.err.split("last log lines:")[0], ran.err
    assert ran.code != 70, ran.err
    return ran


def write_project(folder: Path, files: Mapping[str, str]) -> Path:
    """A project made of texts by path."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Every file of a project by its digest, Carboy's own folder left out."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".carboy" not in path.relative_to(folder).parts
    }


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and text of one GET, error answers included."""
    request = urllib.request.Request(url, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not reaped by a stranger's init does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
