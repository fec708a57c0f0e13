"""Which version of a server an environment gets: the oldest line that was tried, per Python version."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from packaging.version import InvalidVersion, Version

# For each package the bounds, newest first, each with the lowest Python they hold for. Where a Python is older than
# all of them, the last is asked for and the resolver says the rest.
_BOUNDS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "gunicorn": (("3.10", ">=25.3"), ("3.7", ">=23")),
        "gevent": (("3.9", ">=24.10.1"), ("3.8", ">=24.2.1")),
        "eventlet": (("3.8", ">=0.36.1"),),
        "uvicorn": (("3.10", ">=0.41"), ("3.9", ">=0.39"), ("3.8", ">=0.33")),
        "uvicorn-worker": (("3.9", ">=0.4"), ("3.8", ">=0.2")),
        "waitress": (("3.9", ">=3.0.2"), ("3.8", ">=3.0")),
        "granian": (("3.9", ">=2.5"),),
        "pyuwsgi": (("3.8", ">=2.0.30"),),
    }
)


def requirement(package: str, python_version: str | None, extra: str = "") -> str:
    """Return the pip requirement of `package` for a Python version; None is a current one."""
    extras = f"[{extra}]" if extra else ""
    return f"{package}{extras}{_bound(package, python_version)}"


def older_than(python_version: str | None, limit: str) -> bool:
    """Tell whether the environment's Python is older than `limit`; an unknown one is not."""
    if python_version is None:
        return False
    try:
        return Version(python_version) < Version(limit)
    except InvalidVersion:
        return False


def _bound(package: str, python_version: str | None) -> str:
    bounds = _BOUNDS[package]
    for lowest, bound in bounds:
        if not older_than(python_version, lowest):
            return bound
    return bounds[-1][1]
