"""Pure parts stay pure: no clock, environment, file, network or chance."""

import pytest

from tests.support.sources import TOOL, Source, sources

PURE = (
    "carboy.model",
    "carboy.quoting",
    "carboy.errors",
    "carboy.servers",
    "carboy.proxies",
    "carboy.pipelines",
    "carboy.checks.rules",
    "carboy.planfile.propose",
    "carboy.inspection.aged",
)
ARTIFACTS = ".artifacts"  # of every target

IMPURE_MODULES = {
    *("os", "sys", "io", "time", "random", "secrets", "uuid", "socket", "ssl", "select", "selectors", "asyncio"),
    *("subprocess", "shutil", "tempfile", "glob", "fileinput", "platform", "getpass", "locale", "signal", "threading"),
    *("multiprocessing", "concurrent", "http", "smtplib", "ftplib", "ctypes", "logging", "sqlite3", "psutil", "uv"),
    *("urllib.request", "importlib.metadata", "importlib.resources", "pathlib.Path", "pathlib.PosixPath", "dotenv"),
}
IMPURE_CALLS = {"open", "input", "print", "exec", "eval", "compile", "breakpoint"}
CLOCK_METHODS = {"now", "today", "utcnow"}


def is_pure(name: str) -> bool:
    return name.endswith(ARTIFACTS) or any(name == part or name.startswith(part + ".") for part in PURE)


def impurities(source: Source) -> list[str]:
    found = []
    for name, line in source.imports():
        if any(name == module or name.startswith(module + ".") for module in IMPURE_MODULES):
            found.append(f"{source.file}:{line}: imports {name}")
    for call, line in source.calls():
        if call in IMPURE_CALLS or call.rpartition(".")[2] in CLOCK_METHODS:
            found.append(f"{source.file}:{line}: calls {call}")
    return found


PURE_SOURCES = [source for source in sources(TOOL) if is_pure(source.name)]


@pytest.mark.parametrize("source", PURE_SOURCES, ids=lambda source: source.name)
def test_a_pure_module_touches_nothing(source: Source) -> None:
    """The same Plan gives the same bytes on every machine."""
    assert impurities(source) == []


def test_the_pure_parts_are_there() -> None:
    """The names above are those of real modules, so that a renamed one does not slip out."""
    names = {source.name for source in PURE_SOURCES}
    assert {"carboy.model.plan", "carboy.errors", "carboy.servers", "carboy.planfile.propose"} <= names
