"""Mirrors that pip was told about."""

from pathlib import Path

import pytest

from carboy.release.pip_settings import index_variables

pytestmark = pytest.mark.requirement("D1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pip.conf"
    path.write_text(
        "[global]\nindex-url = https://mirror/simple\ntrusted-host = mirror\n"
        "extra-index-url =\n    https://one/simple\n    https://two/simple\n[list]\nformat = columns\n"
    )
    return path


def test_pips_file_is_read(file: Path) -> None:
    """A mirror in pip.conf serves uv as well, several indexes included."""
    assert index_variables({"PIP_CONFIG_FILE": str(file)}) == {
        "UV_DEFAULT_INDEX": "https://mirror/simple",
        "UV_INDEX": "https://one/simple https://two/simple",
        "UV_INSECURE_HOST": "mirror",
    }


def test_variables_win_over_files_and_uvs_over_pips(file: Path) -> None:
    """What is said more closely holds."""
    given = {"PIP_CONFIG_FILE": str(file), "PIP_INDEX_URL": "https://pip/simple", "UV_INDEX": "https://uv/simple"}
    found = index_variables(given)
    assert found["UV_DEFAULT_INDEX"] == "https://pip/simple"
    assert found["UV_INDEX"] == "https://uv/simple"


def test_the_users_file_wins_over_the_older_place(tmp_path: Path) -> None:
    """Both places in the home folder are looked at."""
    for place, host in ((".pip", "old"), (".config/pip", "new")):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "pip.conf").write_text(f"[global]\nindex-url = https://{host}/simple\n")
    assert index_variables({"HOME": str(tmp_path)})["UV_DEFAULT_INDEX"] == "https://new/simple"


def test_a_broken_file_does_no_harm(tmp_path: Path) -> None:
    """It is as if it were not there."""
    path = tmp_path / "pip.conf"
    path.write_text("index-url = x\n")
    assert index_variables({"PIP_CONFIG_FILE": str(path)}) == {}
