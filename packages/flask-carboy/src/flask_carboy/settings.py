"""The variables of docs/contract.md, read once."""

import os
from typing import Callable, Mapping, NamedTuple, Tuple, TypeVar

from flask_carboy import names
from flask_carboy.errors import StartFault

Value = TypeVar("Value")


class Settings(NamedTuple):
    """What the tool asked for, checked."""

    app: str
    interface: str
    release: str
    trusted_hops: int
    trusted_prefix: bool
    live_path: str
    ready_path: str
    gate_token: str
    import_paths: Tuple[str, ...]
    threads: int
    graceful_timeout: float
    access_log: bool
    shared_loop: bool


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`, or StartFault with the variable that is wrong."""
    return Settings(
        app=environ.get(names.APP, "").strip(),
        interface=_choice(environ, names.INTERFACE, ("wsgi", "asgi")),
        release=environ.get(names.RELEASE, ""),
        trusted_hops=_number(environ, names.TRUSTED_HOPS, 0, int),
        trusted_prefix=_flag(environ, names.TRUSTED_PREFIX),
        live_path=environ.get(names.LIVE_PATH, "/health"),
        ready_path=environ.get(names.READY_PATH, "/ready"),
        gate_token=environ.get(names.GATE_TOKEN, ""),
        import_paths=tuple(part for part in environ.get(names.IMPORT_PATHS, "").split(os.pathsep) if part),
        threads=max(1, _number(environ, names.THREADS, 16, int)),
        graceful_timeout=_number(environ, names.GRACEFUL_TIMEOUT, 30.0, float),
        access_log=_flag(environ, names.ACCESS_LOG),
        shared_loop=_choice(environ, names.ASYNC_LOOP, ("worker", "request")) == "worker",
    )


def _number(environ: Mapping[str, str], name: str, default: Value, kind: Callable[[str], Value]) -> Value:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = kind(text)
    except ValueError:
        raise StartFault(f"{name} is not a number: {text!r}") from None
    if not 0 <= value < 1_000_000:  # type: ignore[operator]  # both kinds are numbers; this refuses NaN too
        raise StartFault(f"{name} is out of range: {text!r}")
    return value


def _flag(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip() == "1"


def _choice(environ: Mapping[str, str], name: str, allowed: Tuple[str, ...]) -> str:
    text = environ.get(name, "").strip().lower() or allowed[0]
    if text not in allowed:
        raise StartFault(f"{name} is {text!r}; it can be {' or '.join(allowed)}")
    return text
