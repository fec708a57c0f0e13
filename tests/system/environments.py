"""Real environments for tests, made by the product itself."""

import os
from pathlib import Path

from carboy.model.plan import App
from carboy.release.environment import Environment, EnvironmentRequest, build_environment
from carboy.release.interpreters import find_interpreters
from carboy.remote.local import LocalConnector


def environment(folder: Path, *packages: str, python: str | None = None, exactly: bool = False) -> Environment:
    """An environment with these packages, for a project without a dependency file."""
    app = App(packages=packages, python=python)
    request = EnvironmentRequest(source=folder, envs=folder / "envs", app=app, exactly=exactly)
    return build_environment(request, LocalConnector())


def flask_python(folder: Path) -> Path:
    """A Python that has the newest Flask."""
    return environment(folder, "flask").python


def installed_pythons() -> set[str]:
    """The minors that this machine has."""
    return {one.short for one in find_interpreters(os.environ.get("PATH", ""), Path.home())}
