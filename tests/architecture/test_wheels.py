"""The built wheels: whole, installable alone, and what the tests themselves import."""

import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.support.sources import EXTENSION, ROOT, TOOL

IMPORTS = """
import sys, carboy, importlib.util
from pathlib import Path
bundled = Path(carboy.__file__).parent / "_bundled"
sys.path.insert(0, str(bundled))
print(importlib.util.find_spec("flask_carboy").origin)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool's wheel: the one under test, or one built here by the locked hatchling."""
    folder = ROOT / "build" / "wheels"
    if find_spec("hatchling"):
        folder = tmp_path_factory.mktemp("wheels")
        words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    found = sorted(folder.glob("carboy-*.whl"))
    assert len(found) == 1, f"{folder}: run `make wheels`"
    return found[0]


def packed(folder: Path, prefix: str) -> set[str]:
    """The names that a package folder should have in a wheel."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {f"{prefix}{path.relative_to(folder.parent).as_posix()}" for path in files}


def test_the_wheel_is_whole(wheel: Path) -> None:
    """It holds every file of the tool, templates included, the extension, and the licence."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert packed(TOOL, "") - names == set()
    assert packed(EXTENSION, "carboy/_bundled/") - names == set()
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_installs_alone(wheel: Path, tmp_path: Path) -> None:
    """Without an index and without dependencies, it brings the extension that a release ships along."""
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=sys.platform != "win32")
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    words = [find_uv_bin(), "pip", "install", "--offline", "--no-index", "--no-deps", "--python", str(python)]
    subprocess.run([*words, str(wheel)], check=True, capture_output=True, cwd=tmp_path)
    done = subprocess.run([python, "-c", IMPORTS], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(environment)


@pytest.mark.skipif(not Path(sys.prefix).name.startswith(".venv-test"), reason="under test are the sources, not wheels")
def test_the_tests_import_the_installed_wheels() -> None:
    """`make test` judges what a user installs: nothing comes from src."""
    for name in ("carboy", "flask_carboy"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).is_relative_to(sys.prefix)
