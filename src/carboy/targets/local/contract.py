"""The tool's spelling of the wire to the extension; `docs/contract.md` describes it, `tests/contract` compares."""

from typing import Final

VERSION: Final = 1

APP: Final = "CARBOY_APP"
INTERFACE: Final = "CARBOY_INTERFACE"
RELEASE: Final = "CARBOY_RELEASE"
TIER: Final = "CARBOY_TIER"
TRUSTED_HOPS: Final = "CARBOY_TRUSTED_HOPS"
TRUSTED_PREFIX: Final = "CARBOY_TRUSTED_PREFIX"
LIVE_PATH: Final = "CARBOY_LIVE_PATH"
READY_PATH: Final = "CARBOY_READY_PATH"
GATE_TOKEN: Final = "CARBOY_GATE_TOKEN"  # noqa: S105 - the variable's name, not its value
DATABASES_REPORT: Final = "CARBOY_DATABASES_REPORT"
IMPORT_PATHS: Final = "CARBOY_IMPORT_PATHS"

EXEC_MODULE: Final = "flask_carboy.exec"
