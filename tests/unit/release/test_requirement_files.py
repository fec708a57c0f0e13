"""Requirement files as people have them."""

from pathlib import Path

import pytest

from carboy.errors import Failed
from carboy.release.requirement_files import read_requirements

pytestmark = pytest.mark.requirement("D1")


def write(folder: Path, **files: str | bytes) -> Path:
    """Files by name, `__` for a folder's slash and `_` for the dot of the ending; returns requirements.txt."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "requirements.txt"


def lines(folder: Path, **files: str | bytes) -> list[str]:
    return read_requirements(write(folder, **files), folder).lines


def test_nested_files_become_one_list(tmp_path: Path) -> None:
    """-r is followed relative to the file that says it, each file once, circles included."""
    found = lines(
        tmp_path,
        requirements="-r reqs/base.txt\nflask\n",
        reqs__base="-r more.txt\n--requirement=../requirements.txt\nclick # a comment\n",
        reqs__more="jinja2 \\\n  >=3\n",
    )
    assert found == ["jinja2    >=3", "click", "flask"]


def test_constraints_are_kept_apart(tmp_path: Path) -> None:
    """What a -c file says limits versions and installs nothing."""
    wanted = read_requirements(write(tmp_path, requirements="-c limits.txt\nflask\n", limits="werkzeug<3\n"), tmp_path)
    assert (wanted.lines, wanted.constraints) == (["flask"], ["werkzeug<3"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_common_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """PowerShell writes UTF-16, editors put a mark in front, old files are Latin-1."""
    assert lines(tmp_path, requirements="# Grüße\r\nflask==2.0\r\n".encode(encoding)) == ["flask==2.0"]


@pytest.mark.parametrize(
    "line", ["pkg-resources==0.0.0", "pkg_resources==0.0.0", "argparse", "pywin32==300", "--require-hashes"]
)
def test_what_can_never_install_is_left_out(tmp_path: Path, line: str) -> None:
    """Slips of an old pip, parts of Python and packages of Windows do not stop an installation on this machine."""
    assert lines(tmp_path, requirements=f"flask\n{line}\n") == ["flask"]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    """The note names the line and the reason."""
    wanted = read_requirements(write(tmp_path, requirements="pkg-resources==0.0.0\n"), tmp_path)
    assert wanted.notes == [
        "pkg-resources==0.0.0 in requirements.txt is left out: it is a slip of an old pip and on no index"
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-e git+https://host/a/shop.git@v1#egg=shop", "shop @ git+https://host/a/shop.git@v1"),
        ("git+https://host/a/shop.git#egg=shop&subdirectory=x", "shop @ git+https://host/a/shop.git#subdirectory=x"),
        ("-e git+git://github.com/a/shop#egg=shop-dev", "shop @ git+https://github.com/a/shop"),
        ("shop @ git+https://host/a/shop.git", "shop @ git+https://host/a/shop.git"),
        ("flask @ file:///home/conda/feedstock/work", "flask"),
        ("https://host/shop-1.0.tar.gz", "https://host/shop-1.0.tar.gz"),
        ("Flask[async]==2.0 ; python_version > '3'", "Flask[async]==2.0 ; python_version > '3'"),
    ],
)
def test_addresses_are_said_in_the_words_of_today(tmp_path: Path, line: str, expected: str) -> None:
    """Editable and egg notations become `name @ address`; a path that conda froze becomes the name."""
    assert lines(tmp_path, requirements=line + "\n") == [expected]


def test_local_paths_are_absolute_and_not_editable(tmp_path: Path) -> None:
    """An environment outlives the folder it was made from, so nothing in it points back."""
    (tmp_path / "libs" / "tools").mkdir(parents=True)
    (tmp_path / "setup.py").write_text("")
    found = lines(tmp_path, requirements="-r reqs/base.txt\n./libs/tools\n", reqs__base="-e .[extra]\n")
    assert found == [f"{tmp_path}[extra]", f"{tmp_path / 'libs' / 'tools'}"]


def test_several_indexes_are_asked_as_pip_asks_them(tmp_path: Path) -> None:
    """With an extra index, the best version of all of them counts."""
    wanted = read_requirements(write(tmp_path, requirements="--extra-index-url https://host/simple\nflask\n"), tmp_path)
    assert wanted.options == ["--index-strategy", "unsafe-best-match"]
    assert wanted.lines == ["--extra-index-url https://host/simple", "flask"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error says which file cannot be read, and what to do."""
    with pytest.raises(Failed) as caught:
        lines(tmp_path, requirements="-r base.txt\n")
    assert caught.value.where == "base.txt"
    assert "app.source" in caught.value.hint
