"""The routes that probes ask: answered in front of the app, for any Host, without touching it."""

import json
from typing import Any, Dict, FrozenSet, NamedTuple, Optional

from flask_carboy.drain import Drain

METHODS = ("GET", "HEAD")


class Answer(NamedTuple):
    """What a probe is told."""

    status: str
    body: bytes


_LIVE = Answer("200 OK", b'{"status": "ok"}')
_READY = Answer("200 OK", b'{"status": "ready"}')
_DRAINING = Answer("503 Service Unavailable", b'{"status": "draining"}')


class Health:
    """Answers for the live and the ready route, unless the app has a route of that very name."""

    def __init__(self, app: Any, live: str, ready: str, drain: Drain) -> None:
        self._app = app
        self._live = live
        self._drain = drain
        self.paths: FrozenSet[str] = frozenset(path for path in (live, ready) if path)

    def answer(self, path: str) -> Optional[Answer]:
        """The answer for one of `paths`, or None where the app answers itself."""
        if _has_route(self._app, path):
            return None
        if path == self._live:
            return _LIVE
        return _DRAINING if self._drain.active else _READY


def headers(body: bytes) -> Dict[str, str]:
    """The headers of a JSON answer that nobody may keep."""
    return {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
    }


def document(content: Dict[str, Any]) -> Answer:
    """A JSON answer."""
    return Answer("200 OK", json.dumps(content).encode("utf-8"))


def _has_route(app: Any, path: str) -> bool:
    # Asked at each probe: an app may add its routes after it was wrapped. A catch-all such as /<path:page> is no
    # health route, and a rule for other methods neither.
    url_map = getattr(app, "url_map", None)
    if url_map is None:
        return False
    return any(rule.rule == path and (not rule.methods or "GET" in rule.methods) for rule in url_map.iter_rules())
