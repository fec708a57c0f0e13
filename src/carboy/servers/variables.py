"""The variables that every server's process gets, spelt as in docs/contract.md."""

from collections.abc import Mapping

from carboy.model.plan import Plan
from carboy.servers.sizing import Size


def common(plan: Plan, numbers: Size) -> Mapping[str, str]:
    """Return what the wrapper must know of the server it runs in."""
    return {
        "CARBOY_INTERFACE": plan.app.interface,
        "CARBOY_THREADS": str(numbers.threads),
        "CARBOY_GRACEFUL_TIMEOUT": str(plan.server.graceful_timeout),
        "CARBOY_ACCESS_LOG": "1" if plan.server.access_log else "0",
        # A line that the app prints must reach the log when it is printed, not when 8 KiB have come together.
        "PYTHONUNBUFFERED": "1",
    }
