"""The variables of the app's processes: what plan, files and people gave, and the secrets that were made."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from carboy.model.secret import Secret, guarded
from carboy.planfile.generated import ensure_secrets, is_generable
from carboy.planfile.load import LoadedPlan

_NOTHING: Mapping[str, str] = MappingProxyType({})


def app_environment(
    loaded: LoadedPlan, *, secrets_folder: Path | None, chosen: Mapping[str, str] = _NOTHING
) -> Mapping[str, str | Secret]:
    """Variables for every process of the app, release commands included, secrets hidden.

    Later wins: plan, `.env`, `.env.<tier>`, process environment (all in `loaded.variables`), then `chosen` from
    `--set`. Secrets of the plan that have no value and can be made get one from `secrets_folder`; None makes none.
    `carboy.model.secret.revealed` gives bare texts at the moment a process is started.
    """
    secret = {*loaded.plan.secrets}
    values: dict[str, str | Secret] = dict(loaded.variables)
    for name, value in chosen.items():
        values[name] = Secret(value) if name in secret else guarded(name, value)
    if secrets_folder is not None:
        values.update(ensure_secrets(secrets_folder, to_generate(loaded, values)))
    return MappingProxyType(values)


def to_generate(loaded: LoadedPlan, values: Mapping[str, str | Secret]) -> tuple[str, ...]:
    """Names of the plan's secrets that have no value and for which a random one will do."""
    return tuple(name for name in loaded.plan.secrets if is_generable(name) and not _has_value(values, name))


def missing_variables(loaded: LoadedPlan, values: Mapping[str, str | Secret]) -> tuple[str, ...]:
    """Variables that the app needs to start and that have no value, neither given nor made."""
    return tuple(name for name in loaded.required if name not in values and f"{name}_FILE" not in values)


def _has_value(values: Mapping[str, str | Secret], name: str) -> bool:
    """An empty secret, as a copied .env.example leaves it, counts as none."""
    return values.get(name, "") not in ("", Secret("")) or f"{name}_FILE" in values
