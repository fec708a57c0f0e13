"""The papers of the repository: twins, links, versions, and promises that exist."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.sources import EXTENSION, ROOT, TOOL

CHINESE = ".zh-CN.md"
MANUAL = [ROOT / "README.md", *sorted((ROOT / "docs" / "manual").glob("*.md"))]
PAGES = [page for page in MANUAL if not page.name.endswith(CHINESE)]
TWINS = sorted((ROOT / "docs" / "manual").glob("*" + CHINESE))
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def headings(text: str) -> list[int]:
    return [
        len(found) for found in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    ]


def commands(text: str) -> list[str]:
    """The lines of code blocks without their comments; those, and drawings, each language has in its own words."""
    blocks = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
    ours = [block for language, block in blocks if language != "text"]
    return [bare for block in ours for line in block.splitlines() if (bare := re.sub(r"\s*#.*", "", line).strip())]


@pytest.mark.requirement("U4")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_its_twin(page: Path) -> None:
    """Every page exists in English and in Chinese, with the same headings and the same commands."""
    twin = page.with_name(page.stem + CHINESE)
    assert twin.is_file(), f"{name_of(page)} has no {twin.name}"
    english, chinese = page.read_text(encoding="utf-8"), twin.read_text(encoding="utf-8")
    assert headings(english) == headings(chinese)
    assert commands(english) == commands(chinese)
    assert re.search("[\u4e00-\u9fff]", chinese)


@pytest.mark.parametrize("twin", TWINS, ids=name_of)
def test_no_twin_is_alone(twin: Path) -> None:
    """A Chinese page whose English one went is out of date."""
    assert twin.with_name(twin.name.removesuffix(CHINESE) + ".md").is_file()


@pytest.mark.parametrize("page", sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")}), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository finds it."""
    dead = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert dead == []


def version_in(path: Path) -> str:
    found = re.search(r'^__version__(?:: \w+)? = "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def test_versions_agree() -> None:
    """Both distributions and the changelog's newest heading carry one version."""
    projects = [ROOT / "pyproject.toml", EXTENSION.parents[1] / "pyproject.toml"]
    versions = [tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"] for path in projects]
    versions += [version_in(TOOL / "__init__.py"), version_in(EXTENSION / "__init__.py")]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## \[?(\d[^\]\s]*)\]?", changelog, re.MULTILINE)[0]
    assert versions == [newest] * len(versions)


def test_promises_that_tests_name_exist() -> None:
    """A marker with a mistyped id would hold nothing: `make requirements` ends with 1."""
    words = [sys.executable, "tools/requirements.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "not yet:" in done.stdout
