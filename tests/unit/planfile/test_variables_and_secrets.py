"""The app's variables: dotenv files as Flask reads them, and secrets that are made."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from carboy.model.secret import holds_credentials, is_secret_name, revealed
from carboy.planfile.dotenv_files import read_dotenv
from carboy.planfile.generated import FILE, ensure_secrets, is_generable

DOTENV = """# a comment

export A=plain   # behind
B="two
lines"

C='${A}'
D=${A}-${HOME}-${NONE:-default}
this is no pair
EMPTY=
LONELY
"""


@pytest.mark.requirement("E2")
def test_dotenv_files_are_parsed_as_dotenv_does(tmp_path: Path) -> None:
    """Comments, export, quotes, lines, references and defaults; a bad line is named with its number."""
    (tmp_path / ".env").write_text(DOTENV, encoding="utf-8")
    read = read_dotenv(tmp_path, "production", {"HOME": "/home/x"})
    values = {name: value for name, (value, _) in read.values.items()}
    assert values == {
        "A": "plain",
        "B": "two\nlines",
        "C": "plain",
        "D": "plain-/home/x-default",
        "EMPTY": "",
    }
    assert {name: origin.where for name, (_, origin) in read.values.items()} == {
        "A": ".env:3",
        "B": ".env:4",
        "C": ".env:7",
        "D": ".env:8",
        "EMPTY": ".env:10",
    }
    assert read.notes == (".env:9: cannot be read as NAME=value and is left out",)


@pytest.mark.requirement("E2")
def test_debug_of_a_dotenv_stays_out_of_production(tmp_path: Path) -> None:
    """Flask's debug switches in common files hold in development; production is told and runs without."""
    (tmp_path / ".flaskenv").write_text("FLASK_APP=shop\nFLASK_DEBUG=1\nFLASK_ENV=development\n", encoding="utf-8")
    calm = read_dotenv(tmp_path, "production", {})
    assert {name: value for name, (value, _) in calm.values.items()} == {
        "FLASK_APP": "shop",
        "FLASK_DEBUG": "0",
        "FLASK_ENV": "production",
    }
    assert calm.notes[0] == ".flaskenv:2: FLASK_DEBUG=1 is for development; production runs with 0"
    wild = read_dotenv(tmp_path, "development", {})
    assert wild.values["FLASK_DEBUG"][0] == "1"
    assert wild.notes == ()


@pytest.mark.requirement("E2")
def test_odd_dotenv_files_do_no_harm(tmp_path: Path) -> None:
    """A folder called .env, a byte order mark and Latin-1 are read for what they are."""
    (tmp_path / ".env").mkdir()
    (tmp_path / ".flaskenv").write_bytes(b"\xef\xbb\xbfA=1\r\nB=2\r\n")
    (tmp_path / ".env.production").write_bytes("NAME=Grüße\n".encode("latin-1"))
    read = read_dotenv(tmp_path, "production", {})
    assert {name: value for name, (value, _) in read.values.items()} == {"A": "1", "B": "2", "NAME": "Grüße"}
    assert read.notes == (".env.production: is not UTF-8; read as Latin-1",)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SECRET_KEY", True),
        ("JWT_SECRET_KEY", True),
        ("SECURITY_PASSWORD_SALT", True),
        ("MAIL_PASSWORD", True),
        ("DBPASSWORD", True),
        ("STRIPE_API_KEY", True),
        ("GITHUB_TOKEN", True),
        ("SENTRY_DSN", True),
        ("aws_secret_access_key", True),
        ("SECRET_KEY_FILE", False),
        ("RECAPTCHA_PUBLIC_KEY", False),
        ("CACHE_KEY_PREFIX", False),
        ("TOKEN_EXPIRES", False),
        ("PASSWORD_MIN_LENGTH", False),
        ("DATABASE_URL", False),
        ("LOG_LEVEL", False),
        ("MONKEY", False),
        ("COMPASS", False),
    ],
)
@pytest.mark.requirement("E2")
def test_names_of_secrets_are_known(name: str, secret: bool) -> None:
    """A name that speaks of a secret hides its value; one that speaks about a secret does not."""
    assert is_secret_name(name) is secret


@pytest.mark.requirement("E2")
def test_passwords_in_addresses_are_known() -> None:
    """An address with a password in it is a secret, whatever its variable is called."""
    assert holds_credentials("postgresql://shop:pw@db/shop")
    assert holds_credentials("redis://:pw@cache:6379/0")
    assert not holds_credentials("sqlite:////srv/app.db")
    assert not holds_credentials("https://example.com/a:b@c")


@pytest.mark.parametrize(
    ("name", "generable"),
    [
        ("SECRET_KEY", True),
        ("FLASK_SECRET_KEY", True),
        ("JWT_SECRET_KEY", True),
        ("SECURITY_PASSWORD_SALT", True),
        ("WTF_CSRF_SECRET_KEY", True),
        ("AWS_SECRET_KEY", False),
        ("OAUTH_CLIENT_SECRET_KEY", False),
        ("STRIPE_SECRET_KEY", False),
        ("MAIL_PASSWORD", False),
        ("API_TOKEN", False),
        ("DATABASE_URL", False),
    ],
)
def test_only_the_apps_own_keys_are_made(name: str, generable: bool) -> None:
    """A key that only this app's processes must agree on can be made; one that another party gave cannot."""
    assert is_generable(name) is generable


@pytest.mark.requirement("E3")
def test_unset_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    """An app gets strong keys on first use, the same ones later, in a file that only its owner reads."""
    first = revealed(ensure_secrets(tmp_path, ("SECRET_KEY", "WTF_CSRF_SECRET_KEY")))
    assert len(first["SECRET_KEY"]) >= 64
    assert first["SECRET_KEY"] != first["WTF_CSRF_SECRET_KEY"]
    assert revealed(ensure_secrets(tmp_path, ("SECRET_KEY",)))["SECRET_KEY"] == first["SECRET_KEY"]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_two_that_start_at_once_agree_on_a_secret(tmp_path: Path) -> None:
    """Whoever comes second reads the first one's value, without a lock."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ensure_secrets(tmp_path, ["SECRET_KEY"])["SECRET_KEY"], range(32)))
    assert len(set(made)) == 1
