"""Variables: NAME_FILE and the settings."""

from pathlib import Path

import pytest
from flask_carboy import secret_files
from flask_carboy.errors import StartFault
from flask_carboy.settings import read

pytestmark = pytest.mark.requirement("E2")


def adopted(**variables: str) -> dict[str, str]:
    environ = dict(variables)
    secret_files.adopt(environ)
    return {name: value for name, value in environ.items() if name not in variables}


@pytest.mark.parametrize(
    ("content", "value"),
    [("hush", "hush"), ("hush\n", "hush"), ("hush\r\n", "hush"), ("a\nb\n\n", "a\nb\n"), (" x ", " x "), ("", "")],
)
def test_the_files_content_becomes_the_variable(tmp_path: Path, content: str, value: str) -> None:
    """One newline at the end is the editor's, everything else is the secret's."""
    file = tmp_path / "key"
    file.write_bytes(content.encode())
    assert adopted(SECRET_KEY_FILE=str(file)) == {"SECRET_KEY": value}


def test_a_variable_that_is_set_stays(tmp_path: Path) -> None:
    """NAME wins over NAME_FILE; an empty NAME counts as not set."""
    (tmp_path / "key").write_text("file", encoding="utf-8")
    environ = {"A": "set", "A_FILE": str(tmp_path / "key"), "B": "", "B_FILE": str(tmp_path / "key")}
    secret_files.adopt(environ)
    assert (environ["A"], environ["B"]) == ("set", "file")


def test_an_unreadable_file_stops_the_start_and_names_the_variable(tmp_path: Path) -> None:
    """A secret that cannot be read is said by name and path."""
    with pytest.raises(StartFault, match=r"SECRET_KEY_FILE names a file that cannot be read: .*none"):
        adopted(SECRET_KEY_FILE=str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["LOG_FILE", "APP_PID_FILE", "SSL_CERT_FILE", "DB_FILE", "SHOP_CONFIG_FILE", "_FILE"])
def test_files_that_are_wanted_as_files_are_left_alone(name: str, tmp_path: Path) -> None:
    """A log, a certificate or a configuration named by a variable is no secret."""
    assert adopted(**{name: str(tmp_path / "none")}) == {}


def test_relative_paths_folders_and_binary_files_are_left_alone(tmp_path: Path) -> None:
    """What cannot be a mounted secret changes nothing."""
    (tmp_path / "binary").write_bytes(b"\xff\x00\x01")
    (tmp_path / "large").write_text("x" * 70_000, encoding="utf-8")
    paths = {
        "A_FILE": "key",
        "B_FILE": str(tmp_path),
        "C_FILE": str(tmp_path / "binary"),
        "D_FILE": str(tmp_path / "large"),
    }
    assert adopted(**paths) == {}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CARBOY_TRUSTED_HOPS", "one"), ("CARBOY_TRUSTED_HOPS", "-1"), ("CARBOY_THREADS", "1.5"),
        ("CARBOY_GRACEFUL_TIMEOUT", "nan"), ("CARBOY_INTERFACE", "cgi"), ("CARBOY_ASYNC_LOOP", "two"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(variable: str, value: str) -> None:
    """A setting that cannot be used stops the start, and is named."""
    with pytest.raises(StartFault, match=variable):
        read({variable: value})


def test_the_defaults_are_safe() -> None:
    """Without any variable nobody is trusted and no gate is open."""
    settings = read({})
    assert (settings.trusted_hops, settings.trusted_prefix, settings.gate_token) == (0, False, "")
    assert (settings.live_path, settings.ready_path, settings.access_log) == ("/health", "/ready", False)
