"""Make the environments of this repository: `.venv` to develop in, `.venv-test` to test the built wheels in.

Runs on the standard library of a bare Python 3.11, before anything of ours is installed.
"""

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT = ROOT / ".venv"
TESTING = ROOT / ".venv-test"
WHEELS = ROOT / "build" / "wheels"
DISTRIBUTIONS = (ROOT, ROOT / "packages" / "flask-carboy")
STAMP = "carboy-lock.sha256"


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_environment(folder: Path) -> None:
    """A virtual environment; without pip of its own where this Python has no ensurepip, as Debian's has not."""
    if not _answers(python_of(folder)):
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, symlinks=os.name != "nt", with_pip=importlib.util.find_spec("ensurepip") is not None)


def _answers(python: Path) -> bool:
    """A cloned or moved folder may hold a Python that no longer starts."""
    try:
        return subprocess.run([str(python), "-c", ""], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def pip(folder: Path, *words: str) -> None:
    """Run pip for `folder`: its own where it has one, else that of the Python which runs this."""
    own = subprocess.run([str(python_of(folder)), "-m", "pip", "--version"], check=False, capture_output=True)
    program = [str(python_of(folder)), "-m", "pip"]
    if own.returncode != 0:
        program = [sys.executable, "-m", "pip", "--python", str(python_of(folder))]
    subprocess.run([*program, "--disable-pip-version-check", *words], cwd=ROOT, check=True)


def install_lock(folder: Path, name: str) -> None:
    """Install `requirements/NAME.txt` by its hashes, unless that very lock is installed already."""
    lock = ROOT / "requirements" / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    print(f"installing {lock.relative_to(ROOT)} into {folder.name}", flush=True)
    pip(folder, "install", "--quiet", "--require-hashes", "--requirement", str(lock))
    stamp.write_text(digest, encoding="utf-8")


def development() -> None:
    """`.venv`: the locked tools and both distributions, editable."""
    make_environment(DEVELOPMENT)
    install_lock(DEVELOPMENT, "dev")
    if not _is_editable():
        print("installing carboy and flask-carboy, editable, into .venv", flush=True)
        editable = [word for folder in DISTRIBUTIONS for word in ("--editable", str(folder))]
        pip(DEVELOPMENT, "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", *editable)


def _is_editable() -> bool:
    script = "import carboy, flask_carboy; print(carboy.__file__); print(flask_carboy.__file__)"
    answer = subprocess.run(
        [str(python_of(DEVELOPMENT)), "-I", "-c", script], check=False, capture_output=True, text=True
    )
    places = answer.stdout.splitlines()
    sources = [folder / "src" for folder in DISTRIBUTIONS]
    return len(places) == len(sources) and all(map(Path.is_relative_to, map(Path, places), sources))


def build_wheels() -> list[Path]:
    """Both wheels, built by the locked hatchling: nothing is fetched."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    for folder in DISTRIBUTIONS:
        words = [str(python_of(DEVELOPMENT)), "-m", "hatchling", "build", "-t", "wheel", "-d", str(WHEELS)]
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return sorted(WHEELS.glob("*.whl"))


def testing() -> None:
    """`.venv-test`: what the tests import, and the two wheels as a user would install them."""
    wheels = build_wheels()
    make_environment(TESTING)
    install_lock(TESTING, "test")
    plain = ["install", "--quiet", "--no-deps", "--no-index", "--force-reinstall"]
    pip(TESTING, *plain, *(str(wheel) for wheel in wheels))
    print("testing", ", ".join(wheel.name for wheel in wheels), flush=True)


STEPS = {"development": development, "testing": testing, "wheels": build_wheels}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("which", choices=STEPS)
    try:
        STEPS[parser.parse_args(arguments).which]()
    except subprocess.CalledProcessError as fault:
        print(f"error: {' '.join(map(str, fault.cmd[:6]))} ...: exit {fault.returncode}", file=sys.stderr)
        return fault.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
