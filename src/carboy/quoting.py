"""Text for other grammars: one function for each, so that no value is ever pasted between quotes by hand."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def shell(words: Iterable[str]) -> str:
    """Words of a command as one line for a POSIX shell."""
    return " ".join(shlex.quote(word) for word in words)


def toml_key(*parts: str) -> str:
    """A key of TOML, dotted where it has several parts."""
    return ".".join(part if _BARE_KEY.fullmatch(part) else _toml_text(part) for part in parts)


def toml(value: object) -> str:
    """A value of TOML on one line: text, number, switch, list or table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _toml_text(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{toml_key(str(key))} = {toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Iterable):
        return f"[{', '.join(toml(item) for item in value)}]"
    raise TypeError(f"TOML has no form for {type(value).__name__}")


def _toml_text(text: str) -> str:
    # JSON's escapes are a subset of TOML's, but for DEL, which TOML wants escaped, and for surrogates.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def python(value: str | int | float | bool | tuple[str, ...] | None) -> str:
    """Return the Python literal of a plain value, in ASCII so that it is safe in a file of any encoding."""
    return ascii(value)


def uwsgi(value: str) -> str:
    """Return a value of uWSGI's ini, where a percent sign starts a variable and the end of the line ends the value."""
    if any(mark in value for mark in ("\n", "\r", "\0", "$(", "@(")) or value != value.strip():
        raise ValueError(f"uWSGI's ini cannot hold {value!r}")
    return value.replace("%", "%%")
