"""NAME_FILE becomes NAME: secrets arrive as files wherever a target can, and apps read variables."""

import re
from pathlib import Path
from typing import MutableMapping, Optional

from flask_carboy.errors import StartFault, say
from flask_carboy.names import FILE_SUFFIX

# The system refuses a single variable longer than 128 KiB; nothing near it is a secret.
LONGEST = 64 * 1024

# Last words of names whose _FILE variable names a file that somebody wants as a file.
_FILES_BY_NATURE = re.compile(
    r"(?:.*_)?(LOGS?|PID|LOCK|SOCK(ET)?|CERTS?|CERTIFICATES?|CAS?|BUNDLE|CONFIG|CONF|CFG|SETTINGS|ENV|DATABASE|DB|SQLITE"
    r"|CACHE|HISTORY|OUTPUT|INPUT|DATA|UPLOAD|REQUIREMENTS|COMPOSE|COVERAGE|NETRC|INI|YAML|JSON|TOML)",
    re.IGNORECASE,
).fullmatch


def adopt(environ: MutableMapping[str, str]) -> None:
    """Set NAME from the file that NAME_FILE names, for each such variable; a NAME that is set already stays.

    Only absolute paths count: `LOG_FILE=app.log` is the app's own business.
    """
    for variable in sorted(environ):
        name = _adopted_name(variable, environ)
        if name and not environ.get(name):
            _adopt_one(environ, name, Path(environ[variable]))


def _adopted_name(variable: str, environ: MutableMapping[str, str]) -> Optional[str]:
    name = variable[: -len(FILE_SUFFIX)]
    if not variable.endswith(FILE_SUFFIX) or not name or name.startswith("CARBOY_"):
        return None
    if _FILES_BY_NATURE(name):
        return None
    return name if Path(environ[variable]).is_absolute() else None


def _adopt_one(environ: MutableMapping[str, str], name: str, path: Path) -> None:
    variable = name + FILE_SUFFIX
    try:
        if path.is_dir():
            return
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise StartFault(f"{variable} names a file that cannot be read: {path}: {error.strerror}") from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if len(content) > LONGEST or "\0" in text:
        say(f"{variable} is left alone: {path} is no short text")
        return
    environ[name] = _without_last_newline(text)


def _without_last_newline(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] if text.endswith("\n") else text
