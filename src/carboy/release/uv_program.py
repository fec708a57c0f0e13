"""Running uv: where it is, the environment it gets, and what its failures say."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import uv

from carboy.model.command import Command, Completed
from carboy.release.pip_settings import index_variables
from carboy.remote.base import Connector

OnStep = Callable[[str], None]
INSTALL_SECONDS = 1800.0
# Variables that would point uv or a build at another environment than the one that is made.
_FOREIGN = frozenset(
    {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "UV_PROJECT_ENVIRONMENT"}
    | {"UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_EXCLUDE_NEWER", "UV_RESOLUTION", "__PYVENV_LAUNCHER__"}
)


class Uv:
    """uv over one connector, in one folder."""

    def __init__(self, connector: Connector, folder: Path, environment: Mapping[str, str]) -> None:
        self._connector = connector
        self._folder = folder
        self._environment = _environment(environment)
        self._program = uv.find_uv_bin()

    def run(self, *words: str, folder: Path | None = None, variables: Mapping[str, str] | None = None) -> Completed:
        command = Command((self._program, *words), variables or {}, str(folder or self._folder))
        return self._connector.run(command, timeout=INSTALL_SECONDS, environment=self._environment)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    made = {name: value for name, value in given.items() if name not in _FOREIGN}
    made.update(index_variables(given))
    made.update(NO_COLOR="1", UV_NO_PROGRESS="1", UV_LINK_MODE=made.get("UV_LINK_MODE", "hardlink"))
    made.setdefault("UV_PYTHON_DOWNLOADS", "never")
    if not made.keys() & {"SSL_CERT_FILE", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS"}:
        made["UV_SYSTEM_CERTS"] = "1"  # as pip does: behind a company's proxy the system knows its authority, uv not
    # A prompt for a user name at a private git repository would wait for ever.
    made.update(GIT_TERMINAL_PROMPT="0", PIP_NO_INPUT="1")
    return made


def reason(output: str) -> str:
    """The sentence of uv's output that says why it failed."""
    if "Failed to build" in output and (said := _said_by_build(output)):
        return said
    tree = _tree_sentences(output)
    for sentence in reversed(tree):
        if sentence:
            return sentence
    for line in reversed(output.splitlines()):
        text = line.strip()
        if text.lower().startswith("error:"):
            return text[6:].strip()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "uv said nothing"


_BUILD_SIGNS = (
    r"fatal error: (.+)$",
    r"^\s+((?:[\w.]+\.)?\w+(?:Error|Exception): .+)$",
    r"^\s+(error in .+ setup command: .+)$",
    r"^\s+[Ee]rror: (?!Command )(.+)$",
    r"\berror: (?!Failed|Command )(.+)$",
)


def _said_by_build(output: str) -> str:
    for pattern in _BUILD_SIGNS:
        if found := re.findall(pattern, output, re.MULTILINE):
            return str(found[-1]).strip()
    return ""


def _tree_sentences(output: str) -> list[str]:
    found: list[list[str]] = []
    for line in output.splitlines():
        match = re.match(r"^\s*[╰├]─▶\s*(.*)$", line) or re.match(r"^\s*cause:\s*(.*)$", line)
        if match:
            found.append([match[1].strip()])
        elif found and line.startswith("      ") and line.strip() and not line.strip().startswith("["):
            found[-1].append(line.strip().lstrip("│ "))
        elif found and not line.strip():
            found.append([])
    return [" ".join(part) for part in found if part]


def failed_package(output: str) -> str | None:
    """The package that uv's output blames, where it names one."""
    patterns = (
        r"Failed to (?:build|download and build|fetch|download|install:?) [`']?(?:sdist |wheel: )?([A-Za-z0-9._-]+)",
        r"there (?:is no version of|are no versions of) ([A-Za-z0-9._-]+)",
        r"Because ([A-Za-z0-9._-]+) was not found",
        r"does not satisfy Python\S+ and ([A-Za-z0-9._-]+?)(?:==|>=|<=|<|>|~=|\[| )",
        r"Because you require ([A-Za-z0-9._-]+?)(?:==|>=|<=|<|>|~=|\[| )",
        r"Because (?:only )?([A-Za-z0-9._-]+?)(?:==|>=|<=|<|>|~=|\[| )",
    )
    for pattern in patterns:
        if match := re.search(pattern, output):
            return re.sub(r"-\d.*$", "", match[1]).rstrip(".,")
    return None
