"""Made-up values for variables that an import cannot do without: right in form, worth nothing."""

import re
from pathlib import Path

_FERNET_KEY = "cGxhY2Vob2xkZXItcGxhY2Vob2xkZXItcGxhY2Vob2w="  # 32 bytes in base64: "placeholder-placeholder-placehol"
_SECRET = "placeholder-that-is-long-enough-to-be-taken-for-a-secret"  # noqa: S105 - made up on purpose
TIER_WORDS = ("production", "development", "default")


def placeholder(name: str, scratch: Path) -> str:
    """A value of the kind that the variable's name suggests; files and SQLite databases lie in `scratch`."""
    for pattern, value in _KINDS:
        if re.search(pattern, name.upper()):
            return value.replace("{scratch}", scratch.as_posix()).replace("{name}", name.lower())
    return "placeholder"


def other_placeholder(name: str, value: str, message: str, scratch: Path) -> str | None:
    """The next value to try for a variable whose placeholder the app did not take, or None."""
    if re.search(r"invalid literal for int|could not convert string to float|not a valid integer|int_parsing", message):
        return "1" if value != "1" else None
    if re.search(r"Could not parse (?:rfc1738|SQLAlchemy) URL|sqlalchemy", message, re.IGNORECASE):
        address = f"sqlite:///{scratch.as_posix()}/{name.lower()}.db"
        return address if value != address else None
    if value in message:
        words = ("placeholder", *TIER_WORDS)
        if value in words[:-1]:
            return words[words.index(value) + 1]
    return None


_KINDS: tuple[tuple[str, str], ...] = (
    (r"FERNET|ENCRYPTION_KEY", _FERNET_KEY),
    (r"REDIS|CELERY.*(URL|BROKER|BACKEND)|BROKER_URL|RESULT_BACKEND|RATELIMIT_STORAGE", "redis://localhost:6379/0"),
    (r"MONGO.*(UR[IL]|HOST)", "mongodb://localhost:27017/placeholder"),
    (r"AMQP|RABBIT.*URL", "amqp://localhost//"),
    (r"SENTRY|_DSN$", ""),
    (
        r"(DATABASE|DB|SQLALCHEMY|POSTGRES\w*|MYSQL|PG)_?(\w+_)?(UR[IL]|CONNECTION_STRING|CONN_STR)",
        "sqlite:///{scratch}/{name}.db",
    ),
    (r"^DATABASE$|SQLITE|DB_(FILE|PATH)$", "{scratch}/{name}.db"),
    (r"(^|_)PORT$", "5999"),
    (r"TIMEOUT|_SIZE|_COUNT|LIMIT|_DAYS|_SECONDS|_HOURS|_MINUTES|WORKERS|THREADS|PER_PAGE|MAX_", "10"),
    (r"_TTL|EXPIR|LIFETIME", "10"),
    (r"DEBUG|ENABLED?|^USE_|_USE_|_TLS|_SSL|VERIFY|SECURE|_ON$", "0"),
    (r"(DIR|DIRECTORY|FOLDER|_PATH|_ROOT)$", "{scratch}"),
    (r"(_FILE|FILENAME)$", "{scratch}/{name}"),
    (r"SECRET|SALT|TOKEN|PASSWORD|PASSWD|_PASS$|KEY", _SECRET),
    (r"EMAIL|MAIL_(USERNAME|DEFAULT_SENDER|SENDER)|ADMIN", "placeholder@example.com"),
    (r"LOG_?LEVEL", "INFO"),
    (r"SERVER_NAME", "localhost"),
    (r"UR[IL]$|ENDPOINT|CALLBACK|ORIGIN", "http://localhost/"),
    (r"HOST|SERVER|ADDRESS", "localhost"),
    (r"REGION", "eu-central-1"),
)  # fmt: skip
