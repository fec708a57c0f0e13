"""The same app with a coroutine view, which green workers cannot serve."""

from __future__ import annotations

import asyncio

from hello import app


@app.get("/async")
async def asynchronous() -> dict[str, str]:
    """Waits without a thread."""
    await asyncio.sleep(0.02)
    return {"hello": "from a coroutine"}
