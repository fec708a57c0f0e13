"""Whether somebody has replaced Python's threads by green ones."""

import sys
from typing import Optional


def patched_by() -> Optional[str]:
    """`gevent` or `eventlet` where it has taken the place of threads, else None."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return "gevent"
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return "eventlet"
    return None
