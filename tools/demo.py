"""`make demo`: a real app that is not ours, taken to production on this machine, and what its pages answer."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

FLASK = "3.1.3"
SHA256 = "0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb"


def main() -> int:
    """Fetch, inspect, serve, look, and say what to do next; the exit code of what failed first."""
    project = fetch(Path("build/demo"))
    carboy = str(Path(sys.executable).with_name("carboy"))
    print(f"\n1. {project} is Flask's own tutorial app, unmodified. What it is:\n")
    look = subprocess.call([carboy, "inspect", str(project)])
    print("\n2. To production, on this machine:\n")
    served = subprocess.run([carboy, "up", str(project), "--detach"], check=False, stdout=subprocess.PIPE, text=True)
    if look or served.returncode:
        return look or served.returncode
    url = served.stdout.strip().splitlines()[-1]
    print("\n3. Asked from outside:\n")
    for path in ("", "auth/login", "static/style.css", "health", "ready"):
        show(url + path)
    print(f"""
It serves at {url} until you stop it:

  .venv/bin/carboy status {project}
  .venv/bin/carboy logs {project} --follow
  .venv/bin/carboy down {project}
""")
    return 0


def show(url: str) -> None:
    """One line for one answer, with its request id and the title of the page."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        body = answer.read().decode("utf-8", "replace")
    title = body.partition("<title>")[2].partition("</title>")[0] or body.strip().splitlines()[0]
    print(f"  {answer.status}  {url:<44} {title[:44]:<44} {answer.headers.get('X-Request-ID', '')}")


def fetch(folder: Path) -> Path:
    """The tutorial app out of Flask's source distribution, checked by its digest."""
    target = folder / "flaskr"
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*download, "--no-binary", ":all:", f"flask=={FLASK}", "--dest", place], check=True)
        archive = next(Path(place).glob("*.tar.gz"))
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"error: {archive.name} is not the file this demo was written for")
        with tarfile.open(archive) as bundle:
            bundle.extractall(place, filter="data")
        shutil.copytree(Path(place) / f"flask-{FLASK}" / "examples" / "tutorial", target)
    return target


if __name__ == "__main__":
    sys.exit(main())
