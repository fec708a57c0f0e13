"""A small app with one synchronous view of each kind, served by every server."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from flask import Flask, request

app = Flask(__name__)
SCRATCH = Path(os.environ["HELLO_SCRATCH"])


@app.get("/")
def home() -> dict[str, str]:
    """A view that only computes."""
    return {"hello": "world"}


@app.get("/wait")
def wait() -> dict[str, str]:
    """A view that waits as long as a query takes."""
    time.sleep(0.02)
    return {"hello": "after a while"}


@app.get("/db")
def database() -> dict[str, str]:
    """A view that reads a database."""
    connection = sqlite3.connect(SCRATCH / "hello.db")
    try:
        row = connection.execute("select greeting from greetings").fetchone()
    finally:
        connection.close()
    return {"hello": row[0]}


@app.get("/slow/<name>")
def slow(name: str) -> dict[str, Any]:
    """A long view, which says by a file that it has begun; its answer does not fit into a socket's buffer."""
    (SCRATCH / f"began-{name}").touch()
    time.sleep(2.5)
    return {"hello": name, "rest": "x" * 400_000}


@app.get("/who")
def who() -> dict[str, Any]:
    """What the app believes of the client."""
    return {
        "client": request.remote_addr,
        "scheme": request.scheme,
        "host": request.host,
        "root": request.script_root,
        "path": request.path,
        "process": os.getpid(),
        "umask": _umask(),
    }


@app.get("/psycopg2")
def psycopg2_waits() -> dict[str, Any]:
    """How psycopg2 waits in this worker."""
    from psycopg2 import extensions

    callback = extensions.get_wait_callback()
    return {"waits": getattr(callback, "__module__", "in C"), "patched": time.sleep.__module__ != "time"}


def _umask() -> str:
    mask = os.umask(0o077)
    os.umask(mask)
    return f"{mask:03o}"
