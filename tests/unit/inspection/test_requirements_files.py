"""Requirements files as people write them."""

from pathlib import Path

import pytest

from carboy.inspection.index import build_index
from carboy.inspection.requirements_files import (
    RequirementsFile,
    logical_lines,
    name_of_address,
    parse_requirement,
    read_requirements,
)
from carboy.model.facts import Place

pytestmark = pytest.mark.requirement("D1")
HERE = Place("requirements.txt", 1)


def read(tmp_path: Path, **files: str) -> RequirementsFile:
    for name, text in files.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    return read_requirements(build_index(tmp_path), "requirements.txt")


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("Flask", "flask", ""),
        ("Flask_SQLAlchemy == 2.5.1", "flask-sqlalchemy", "==2.5.1"),
        ("flask>=1,<2 ; python_version >= '3.6'", "flask", ">=1,<2"),
        ("flask[async]~=3.0", "flask", "~=3.0"),
        ("uvicorn [standard] (>=0.20)", "uvicorn", ">=0.20"),
        ("flask==3.0.0 --hash=sha256:abc --hash=sha256:def", "flask", "==3.0.0"),
        ("Flask=1.0", "flask", "=1.0"),
        ("pkg @ https://example.org/pkg-1.0.zip", "pkg", "@ https://example.org/pkg-1.0.zip"),
        ("git+https://github.com/x/Some.Lib.git@main", "some-lib", "@ git+https://github.com/x/Some.Lib.git@main"),
        ("git+ssh://git@h/x/y.git#egg=why&subdirectory=z", "why", "@ git+ssh://git@h/x/y.git#egg=why&subdirectory=z"),
        ("./wheels/thing_x-1.0-py3-none-any.whl", "thing-x", "@ ./wheels/thing_x-1.0-py3-none-any.whl"),
        ("../shared/lib", "lib", "@ ../shared/lib"),
    ],
)
def test_a_requirement_is_read_as_written(text: str, name: str, spec: str) -> None:
    """Names are normalised, specifiers stay as written, addresses are kept behind an @."""
    found = parse_requirement(text, HERE)
    assert found is not None
    assert (found.name, found.spec) == (name, spec)


@pytest.mark.parametrize(
    "text", ["", "=", ">=1", "pip install flask", "<<<<<<< HEAD", "-", "flask ==", "colorama; sys_platform == 'win32'"]
)
def test_what_is_no_requirement_here_gives_none_or_its_name(text: str) -> None:
    """Conflict marks, sentences and markers for other systems name nothing that a release installs."""
    found = parse_requirement(text, HERE)
    assert found is None or found.name == "flask"


def test_continuations_and_comments_are_joined_and_cut() -> None:
    """A line continues after a backslash and keeps the number it began with; # inside an address stays."""
    text = "# head\nflask==1 \\\n  --hash=sha256:x # why\n\ngit+https://h/x.git#egg=x\nlast \\"
    assert list(logical_lines(text)) == [
        (2, "flask==1    --hash=sha256:x"),
        (5, "git+https://h/x.git#egg=x"),
        (6, "last"),
    ]


def test_includes_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    """Two files that include each other are both read, each once, and a missing one is passed over."""
    found = read(tmp_path, requirements="-r other.txt\nflask\n-r missing.txt", other="-r requirements.txt\nclick")
    assert found.files == ["requirements.txt", "other.txt"]
    assert [requirement.name for requirement in found.requirements] == ["click", "flask"]


def test_constraints_install_nothing(tmp_path: Path) -> None:
    """A constraints file is one of the files, and none of its names is a requirement."""
    found = read(tmp_path, requirements="-c pins.txt\nflask", pins="flask==1\nother==2\n-r more.txt", more="third")
    assert found.files == ["requirements.txt", "pins.txt", "more.txt"]
    assert [requirement.name for requirement in found.requirements][-1] == "flask"


def test_includes_stay_inside_the_project(tmp_path: Path) -> None:
    """An include that climbs out of the project is not read."""
    (tmp_path / "outside.txt").write_text("evil", encoding="utf-8")
    (tmp_path / "project").mkdir()
    found = read(tmp_path / "project", requirements="-r ../outside.txt\nflask")
    assert [requirement.name for requirement in found.requirements] == ["flask"]


@pytest.mark.parametrize("line", ["-e .", "--editable=.[dev]", ".", "-e ./", "..[web]"])
def test_the_project_itself_is_seen(tmp_path: Path, line: str) -> None:
    """`-e .` in its forms says that the project is installed, and is no requirement."""
    found = read(tmp_path, requirements=f"{line}\n")
    assert found.itself
    assert found.requirements == []


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/a/b.git", "b"),
        ("https://github.com/a/b/", "b"),
        ("https://h/archive/lib-2.0.tar.gz?x=1", "lib"),
        ("https://", ""),
    ],
)
def test_an_address_names_its_project(address: str, name: str) -> None:
    """The repository's or the archive's name is the best guess there is."""
    assert name_of_address(address) == name
