"""Requests that carry the release's token learn which worker answered, and which databases it uses."""

import hmac
import os
from typing import Any, Dict

from flask_carboy.databases import RECORDER
from flask_carboy.drain import Drain
from flask_carboy.names import SCHEMA


class Gate:
    """Knows the token; without one nothing matches."""

    def __init__(self, token: str, release: str, ref: str, drain: Drain) -> None:
        self._token = token.encode("utf-8")
        self._release = release
        self._ref = ref
        self._drain = drain

    def opens(self, token: bytes) -> bool:
        """Whether `token` is the release's, compared in constant time."""
        return bool(self._token) and hmac.compare_digest(token, self._token)

    def worker(self) -> str:
        """The name of this worker."""
        return str(os.getpid())

    def report(self) -> Dict[str, Any]:
        """The answer of the gate's own route."""
        return {
            "schema": SCHEMA,
            "worker": os.getpid(),
            "release": self._release,
            "ref": self._ref,
            "draining": self._drain.active,
            "databases": RECORDER.databases(),
        }
