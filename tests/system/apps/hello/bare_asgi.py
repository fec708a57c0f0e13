"""An ASGI app without any framework, with a lifespan, and with the same answers as `hello`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

SCRATCH = Path(os.environ["HELLO_SCRATCH"])
STATE = {"started": False}

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer as the Flask app does, and 500 where the lifespan has not begun."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    status, answer = 200, await _answer(scope["path"])
    if not STATE["started"]:
        status, answer = 500, {"error": "lifespan did not run"}
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _answer(path: str) -> dict[str, Any]:
    if path.startswith("/slow/"):
        name = path.removeprefix("/slow/")
        (SCRATCH / f"began-{name}").touch()
        await asyncio.sleep(2.5)
        return {"hello": name, "rest": "x" * 400_000}
    await asyncio.sleep(0.02)
    return {"hello": "from a coroutine"}


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    STATE["started"] = True
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
