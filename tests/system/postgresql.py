"""A PostgreSQL server of one test's own: private folder and port, loopback only, gone with the test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import unused_port

TIMEOUT = 60


@contextmanager
def postgresql(database: str = "app") -> Iterator[str]:
    """The address of an empty database."""
    # A socket's path is short, and root may not run the server: hence no folder of pytest's, and another user's.
    folder = Path(tempfile.mkdtemp(prefix="carboy-pg-"))
    data, port = folder / "data", unused_port()
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        _run("initdb", "--pgdata", str(data), "--username", "app", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        settings = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        _run("pg_ctl", "start", "--wait", "--pgdata", str(data), "--options", settings, "--log", str(folder / "log"))
        try:
            _run("createdb", "--host", "127.0.0.1", "--port", str(port), "--username", "app", database)
            yield f"postgresql://app@127.0.0.1:{port}/{database}"
        finally:
            _run("pg_ctl", "stop", "--wait", "--mode", "immediate", "--pgdata", str(data))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    """As root, as the user that Debian's package makes."""
    user = "postgres" if os.geteuid() == 0 else None
    words = (_path(program), *arguments)
    # The server keeps standard output open, so nothing may wait for its end: the log has what it says.
    subprocess.run(words, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=True)


def _path(program: str) -> str:
    """On PATH, or in the newest of the folders where Debian keeps the server's own programs."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    return shutil.which(program) or str(kept[0] if kept else program)
