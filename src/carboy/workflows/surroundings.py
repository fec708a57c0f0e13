"""The environment of the app's processes: what they inherit, what the plan and the secrets add, and our wire."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from carboy.model.plan import Plan
from carboy.model.secret import revealed
from carboy.planfile.dotenv_files import read_dotenv
from carboy.planfile.generated import ensure_secrets, is_generable
from carboy.targets.local import contract
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.state import StateFolder, read_json, write_json

# What belongs to the shell that carboy was typed into, and would change the app or its server behind the plan's back.
_NOT_INHERITED = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "VIRTUAL_ENV", "CONDA_PREFIX",
     "WEB_CONCURRENCY", "FLASK_APP", "FLASK_ENV", "FLASK_DEBUG", "PORT", "HOST",
     "__PYVENV_LAUNCHER__", "OLDPWD", "PWD", "SHLVL", "_"}
)  # fmt: skip
_NOT_INHERITED_PREFIXES = (
    "CARBOY_",
    "FLASK_RUN_",
    "GUNICORN_",
    "UWSGI_",
    "UVICORN_",
    "GRANIAN_",
    "PYTEST_",
    "WERKZEUG_",
)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without what would act on the app's server unasked."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _NOT_INHERITED and not name.startswith(_NOT_INHERITED_PREFIXES)
    }


def with_programs(variables: Mapping[str, str], bin_folder: str) -> dict[str, str]:
    """The app's environment in front of everything on PATH, and output that is not held back."""
    path = os.pathsep.join([bin_folder, *filter(None, [variables.get("PATH", os.defpath)])])
    return {**variables, "PATH": path, "VIRTUAL_ENV": str(Path(bin_folder).parent), "PYTHONUNBUFFERED": "1"}


def wire(plan: Plan, *, release: int, source: Path, runtime: Path, port: int) -> dict[str, str]:
    """The variables of docs/contract.md, and those that make `flask` speak of the same app as the server."""
    app = plan.app
    paths = [str(source / app.folder), *(str(source / path) for path in app.import_paths)]
    found = {
        contract.INTERFACE: app.interface,
        contract.RELEASE: str(release),
        contract.TIER: plan.tier,
        contract.TRUSTED_HOPS: str(plan.proxy.trusted),
        contract.TRUSTED_PREFIX: "1" if plan.proxy.prefix else "0",
        contract.LIVE_PATH: plan.health.live,
        contract.READY_PATH: plan.health.ready,
        contract.IMPORT_PATHS: os.pathsep.join(paths),
        "PYTHONPATH": str(runtime),
        "FLASK_SKIP_DOTENV": "1",  # `flask` alone would read .env and .flaskenv: one environment for all
        "FLASK_DEBUG": "0",
        "PORT": str(port),
    }
    if app.ref is not None:
        found |= {contract.APP: app.ref, "FLASK_APP": app.ref}
    return found


def release_environment(
    folder: StateFolder,
    record: ReleaseRecord,
    environment: Mapping[str, str],
    settings: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment of a release's processes, secrets in the clear: for starting them and nothing else.

    Later wins: what is inherited, the plan's variables, `.env` files, the user's environment for what the app reads,
    `--set` (`settings`; None for those of the last good release), generated secrets where nothing gave one, and the
    wire.
    """
    dotenv = {name: value for name, (value, _) in read_dotenv(folder.project, record.tier, environment).values.items()}
    base = inherited(environment)
    named = {name: base[name] for name in (*record.reads, *record.secrets, *dotenv) if name in base}
    chosen = {
        **base,
        **record.plan_variables,
        **dotenv,
        **named,
        **(stored_settings(folder) if settings is None else settings),
    }
    unset = [
        name for name in record.secrets if is_generable(name) and not (chosen.get(name) or f"{name}_FILE" in chosen)
    ]
    generated = revealed(ensure_secrets(folder.root, unset))
    return with_programs({**chosen, **generated, **record.variables}, record.bin)


def store_settings(folder: StateFolder, settings: Mapping[str, str]) -> None:
    """Keep what `--set` gave the release that is good now, so that `carboy run` and the next `up` see the same."""
    write_json(folder.root / "settings.json", {"schema": 1, "variables": dict(settings)})


def stored_settings(folder: StateFolder) -> dict[str, str]:
    return dict((read_json(folder.root / "settings.json") or {}).get("variables", {}))


def digest(
    folder: StateFolder, record: ReleaseRecord, variables: Mapping[str, str], settings: Mapping[str, str]
) -> str:
    """A digest of all values that the app may read: it changes where a running app would need a restart."""
    names = {*record.reads, *record.secrets, *record.plan_variables, *settings}
    names |= set(read_dotenv(folder.project, record.tier, variables).values)
    text = "\0".join(f"{name}={variables.get(name)}" for name in sorted(names))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
