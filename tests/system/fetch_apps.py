"""Source distributions of apps that we did not write: by exact version and hash, unpacked once, copied for each test.

The package index is whichever this machine is set up for: uv asks it where the file lies, which runs no code of the
distribution (`pip download` would build its metadata, and a front end or a compiler is what some of them then want).
"""

import hashlib
import shutil
import ssl
import subprocess
import tarfile
import tempfile
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uv import find_uv_bin

CACHE = Path.home() / ".cache" / "carboy-tests" / "apps"
TIMEOUT = 120


class CannotFetch(Exception):
    """The distribution could not be had, or is not the one that was meant."""


@dataclass(frozen=True)
class Distribution:
    """One source distribution on the package index."""

    name: str
    version: str
    sha256: str

    @property
    def folder(self) -> Path:
        return CACHE / f"{self.name}-{self.version}-{self.sha256[:12]}"


def unpacked(distribution: Distribution) -> Path:
    """The distribution's top folder; fetched where the cache does not hold it."""
    if not distribution.folder.is_dir():
        _unpack(_fetch(distribution), distribution.folder)
    tops = [path for path in distribution.folder.iterdir() if path.is_dir()]
    if len(tops) != 1:
        raise CannotFetch(f"{distribution.folder}: expected one folder, found {len(tops)}")
    return tops[0]


def _fetch(distribution: Distribution) -> bytes:
    entry = _resolve(distribution)
    with urllib.request.urlopen(str(entry["url"]), timeout=TIMEOUT, context=_certificates()) as answer:
        data: bytes = answer.read()
    digest = hashlib.sha256(data).hexdigest()
    if digest != distribution.sha256:
        raise CannotFetch(f"{distribution.name} {distribution.version}: sha256 is {digest}")
    return data


def _resolve(distribution: Distribution) -> dict[str, Any]:
    """Where the index has the file, as uv writes it into a lock file."""
    words = ("pip", "compile", "--quiet", "--no-deps", "--no-header", "--format", "pylock.toml", "-")
    wanted = f"{distribution.name}=={distribution.version}\n"
    done = subprocess.run((find_uv_bin(), *words), input=wanted, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        raise CannotFetch(f"{wanted.strip()}: {done.stderr.strip()}")
    found = tomllib.loads(done.stdout)["packages"][0].get("sdist")
    if found is None:
        raise CannotFetch(f"{wanted.strip()} has no source distribution")
    return dict(found)


def _certificates() -> ssl.SSLContext:
    """The system's certificates, with those of SSL_CERT_FILE and SSL_CERT_DIR."""
    return ssl.create_default_context()


def _unpack(data: bytes, folder: Path) -> None:
    """Beside the final place, then renamed: a run that is interrupted leaves nothing half-unpacked."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent))
    archive = scratch / "sdist.tar.gz"
    archive.write_bytes(data)
    with tarfile.open(archive) as opened:
        opened.extractall(scratch / "content", filter="data")
    try:
        (scratch / "content").rename(folder)
    except OSError:
        if not folder.is_dir():  # else another run was first
            raise
    finally:
        shutil.rmtree(scratch)
