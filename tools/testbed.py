"""What the system tests need on this machine, and how to get it.

`--install`, as root on Debian or Ubuntu, installs what is missing; elsewhere it lists what will be skipped. A test says
what it needs by `@pytest.mark.needs("nginx")`, and every name used so stands in the table below.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """`programs` must all be on PATH; `package` is Debian's name, "" where no package brings it."""

    programs: tuple[str, ...]
    package: str
    why: str


TOOLS = {
    "cc": Tool(("cc",), "gcc", "apps whose dependencies compile C, as 27 of 56 real ones do"),
    "git": Tool(("git",), "git", "apps that are working copies, and the checks over committed files"),
    "unshare": Tool(("unshare",), "util-linux", "probing an app without network"),
    "postgresql": Tool(("pg_createcluster",), "postgresql", "apps that need a database server"),
}


def is_present(name: str) -> bool:
    """Whether the tool is here; a name without a row is taken for a program."""
    tool = TOOLS.get(name)
    programs = tool.programs if tool else (name,)
    return all(shutil.which(program) for program in programs)


def missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not is_present(name)]


def can_install() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(names: list[str]) -> None:
    """Install the packages of these tools; a failure is told and leaves the tests to skip, or to fail in CI."""
    packages = sorted({TOOLS[name].package for name in names} - {""})
    print(f"testbed: installing {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["apt-get", "-o", "Dpkg::Use-Pty=0", "-qq"]
    for words in ([*quiet, "update"], [*quiet, "install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            print(f"testbed: {' '.join(words)}: exit {done.returncode}\n{done.stderr.strip()[-2000:]}", file=sys.stderr)


def report(names: list[str]) -> None:
    for name in names:
        tool = TOOLS[name]
        print(f"testbed: {name} is missing ({tool.why}); its tests will be skipped; Debian's package: {tool.package}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--install", action="store_true", help="install what is missing, where that can be done")
    chosen = parser.parse_args(arguments)
    absent = missing(TOOLS)
    if absent and chosen.install and can_install():
        install(absent)
        absent = missing(TOOLS)
    report(absent)
    if not absent:
        print("testbed: everything that the tests need is here")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
