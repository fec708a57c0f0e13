"""Made-up values: right in form, worth nothing."""

from pathlib import Path

import pytest

from carboy.inspection.placeholders import other_placeholder, placeholder

pytestmark = pytest.mark.requirement("D3")

SCRATCH = Path("/scratch")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:////scratch/database_url.db"),
        ("SQLALCHEMY_DATABASE_URI", "sqlite:////scratch/sqlalchemy_database_uri.db"),
        ("REDIS_URL", "redis://localhost:6379/0"),
        ("CELERY_BROKER_URL", "redis://localhost:6379/0"),
        ("MONGO_URI", "mongodb://localhost:27017/placeholder"),
        ("MAIL_PORT", "5999"),
        ("SESSION_TIMEOUT", "10"),
        ("MAIL_USE_TLS", "0"),
        ("UPLOAD_FOLDER", "/scratch"),
        ("DB_HOST", "localhost"),
        ("MAIL_DEFAULT_SENDER", "placeholder@example.com"),
        ("BASE_URL", "http://localhost/"),
        ("FLASK_CONFIG", "placeholder"),
        ("SENTRY_DSN", ""),
    ],
)
def test_the_name_tells_the_kind(name: str, value: str) -> None:
    """Addresses, numbers, switches, folders and mail addresses look as such; databases lie in the scratch folder."""
    assert placeholder(name, SCRATCH) == value


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET", "SECURITY_PASSWORD_SALT", "DB_PASSWORD", "API_TOKEN"])
def test_secrets_are_long_and_obviously_made_up(name: str) -> None:
    """Checks for a minimal length pass; nobody takes the value for a real one."""
    value = placeholder(name, SCRATCH)
    assert len(value) >= 32
    assert value.startswith("placeholder")


def test_a_number_is_tried_where_one_was_wanted() -> None:
    """After `invalid literal for int` comes 1, and after that nothing."""
    message = "invalid literal for int() with base 10: 'placeholder'"
    assert other_placeholder("SHOP_SPEED", "placeholder", message, SCRATCH) == "1"
    assert other_placeholder("SHOP_SPEED", "1", message, SCRATCH) is None


def test_the_words_of_tiers_are_tried_one_after_the_other() -> None:
    """A selector that does not know the placeholder gets production, development, default."""
    tried = ["placeholder"]
    while (value := other_placeholder("SHOP_CONFIG", tried[-1], repr(tried[-1]), SCRATCH)) is not None:
        tried.append(value)
    assert tried == ["placeholder", "production", "development", "default"]
