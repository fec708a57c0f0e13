"""Secrets that can be made: strong values, made on first use and kept beside the state, never in the project."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream

from carboy.model.secret import Secret

FILE: Final = "secrets.env"
_BYTES: Final = 48
# Keys that only this app's own processes must agree on; a password or an API key is someone else's to give.
_GENERABLE: Final = re.compile(
    r"(\w+_)?(SECRET_KEY|SECRETKEY|APP_SECRET|FLASK_SECRET|SESSION_SECRET|COOKIE_SECRET|JWT_SECRET|JWT_KEY|TOKEN_SECRET"
    r"|PASSWORD_SALT|SECURITY_SALT|TOKEN_SALT|CSRF_KEY|CSRF_SECRET|SIGNING_KEY|SIGNING_SECRET|HASH_SALT)"
)
# Given by another party, though it is spelt like one of ours.
_FOREIGN: Final = re.compile(
    r"AWS|S3|AZURE|GOOGLE|GCP|GITHUB|GITLAB|FACEBOOK|TWITTER|STRIPE|PAYPAL|RECAPTCHA|CAPTCHA|OAUTH|OIDC|SAML|CLIENT"
    r"|CONSUMER|TWILIO|SLACK|DISCORD|TELEGRAM|MAIL|SENTRY|AUTH0|OKTA|SPOTIFY|LINKEDIN|CLOUDINARY|PUSHER|ACCESS|API_"
)


def is_generable(name: str) -> bool:
    """Whether a strong random value will do for the variable `name`."""
    upper = name.upper()
    return _GENERABLE.fullmatch(upper) is not None and _FOREIGN.search(upper) is None


def kept_secrets(folder: Path) -> Mapping[str, Secret]:
    """The values made earlier; the first one of a name holds, so that two that start at once agree."""
    path = folder / FILE
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as stream:
        found: dict[str, Secret] = {}
        for binding in parse_stream(stream):
            if binding.key and binding.value:
                found.setdefault(binding.key, Secret(binding.value))
    return found


def ensure_secrets(folder: Path, names: Iterable[str]) -> Mapping[str, Secret]:
    """A value for each of `names`: the kept one, or one made now and kept in `folder` with mode 0600."""
    wanted = tuple(dict.fromkeys(names))
    kept = kept_secrets(folder)
    lines = [f"{name}={secrets.token_urlsafe(_BYTES)}\n" for name in wanted if name not in kept]
    if lines:
        _append(folder, "".join(lines))
        kept = kept_secrets(folder)
    return {name: kept[name] for name in wanted}


def _append(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One write to a file opened for appending is whole, also where another process does the same.
    descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, text.encode("utf-8"))
    finally:
        os.close(descriptor)
    (folder / FILE).chmod(0o600)
