"""The environment of the app's processes: what they inherit, what the plan and the secrets add, and our wire."""

import os
from collections.abc import Mapping
from pathlib import Path

from carboy.targets.local import contract

# What belongs to the shell that carboy was typed into, and would change the app or its server behind the plan's back.
_NOT_INHERITED = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "VIRTUAL_ENV", "CONDA_PREFIX",
     "WEB_CONCURRENCY", "PORT", "HOST", "__PYVENV_LAUNCHER__", "OLDPWD", "PWD", "SHLVL", "_"}
)  # fmt: skip
_NOT_INHERITED_PREFIXES = ("CARBOY_", "FLASK_", "GUNICORN_", "UWSGI_", "UVICORN_", "GRANIAN_", "PYTEST_", "WERKZEUG_")


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without what would act on the app's server unasked."""
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _NOT_INHERITED and not name.startswith(_NOT_INHERITED_PREFIXES)
    }
    if "CARBOY_TEST_SESSION" in environment:  # lets a test find processes that got away
        kept["CARBOY_TEST_SESSION"] = environment["CARBOY_TEST_SESSION"]
    return kept


def with_programs(variables: Mapping[str, str], bin_folder: str) -> dict[str, str]:
    """The app's environment in front of everything on PATH, and output that is not held back."""
    path = os.pathsep.join([bin_folder, *filter(None, [variables.get("PATH", os.defpath)])])
    return {**variables, "PATH": path, "VIRTUAL_ENV": str(Path(bin_folder).parent), "PYTHONUNBUFFERED": "1"}


def wire(
    *,
    ref: str | None,
    interface: str,
    release: int,
    tier: str,
    hops: int,
    prefix: bool,
    live: str,
    ready: str,
    source: Path,
    folder: str,
    import_paths: tuple[str, ...],
    runtime: Path,
    port: int,
) -> dict[str, str]:
    """The variables of docs/contract.md, and those that make `flask` speak of the same app as the server."""
    paths = [str(source / folder), *(str(source / p) for p in import_paths)]
    found = {
        contract.INTERFACE: interface,
        contract.RELEASE: str(release),
        contract.TIER: tier,
        contract.TRUSTED_HOPS: str(hops),
        contract.TRUSTED_PREFIX: "1" if prefix else "0",
        contract.LIVE_PATH: live,
        contract.READY_PATH: ready,
        contract.IMPORT_PATHS: os.pathsep.join(paths),
        "PYTHONPATH": str(runtime),
        "FLASK_SKIP_DOTENV": "1",  # `flask` alone would read .env and .flaskenv: one environment for all
        "FLASK_DEBUG": "1" if tier == "development" else "0",
        "PORT": str(port),
    }
    if ref is not None:
        found |= {contract.APP: ref, "FLASK_APP": ref}
    return found
