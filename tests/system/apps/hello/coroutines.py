"""The same app with a coroutine view, which green workers cannot serve."""

import asyncio

from hello import app


@app.get("/async")
async def asynchronous() -> dict[str, str]:
    """Waits without a thread."""
    await asyncio.sleep(0.02)
    return {"hello": "from a coroutine"}
