"""What the proxies in front say, believed for exactly the configured number of them.

The Nth value from the right was written by the outermost trusted proxy; what stands left of it was sent by the client.
"""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple, Optional

_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?").fullmatch
_PORT = re.compile(r"[0-9]{1,5}").fullmatch
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+;=:@%-]+)+").fullmatch
_V4_WITH_PORT = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}").fullmatch
_V6_IN_BRACKETS = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?").fullmatch

LONGEST = 300


class Origin(NamedTuple):
    """What trusted proxies said of the request; None where they said nothing that can be believed."""

    client: Optional[str]
    scheme: Optional[str]
    host: Optional[str]
    port: Optional[str]
    prefix: Optional[str]


def resolve(
    hops: int,
    client: Optional[str],
    scheme: Optional[str],
    host: Optional[str],
    port: Optional[str],
    prefix: Optional[str],
) -> Origin:
    """The origin, given the five headers' whole values."""
    # Most requests come through one proxy with one value each: the cache answers those.
    return _resolve(
        _nth(client, hops) if client else None,
        _nth(scheme, hops) if scheme else None,
        _nth(host, hops) if host else None,
        _nth(port, hops) if port else None,
        _nth(prefix, hops) if prefix else None,
    )


def _nth(value: str, hops: int) -> Optional[str]:
    if "," in value:
        parts = value.rsplit(",", hops)
        if len(parts) < hops:
            return None
        value = parts[-hops]
    elif hops != 1:
        return None
    # Only the spaces that may stand in a list: str.strip() would forgive control characters.
    value = value.strip(" \t")
    return value if value and len(value) <= LONGEST else None


@lru_cache(maxsize=1024)
def _resolve(
    client: Optional[str],
    scheme: Optional[str],
    host: Optional[str],
    port: Optional[str],
    prefix: Optional[str],
) -> Origin:
    return Origin(
        client=_address(client) if client else None,
        scheme=_scheme(scheme) if scheme else None,
        host=host if host and _good_host(host) else None,
        port=str(int(port)) if port and _good_port(port) else None,
        prefix=prefix.rstrip("/") if prefix and _good_prefix(prefix) else None,
    )


def _address(text: str) -> Optional[str]:
    with_port = _V4_WITH_PORT(text) or _V6_IN_BRACKETS(text)
    bare = with_port.group(1) if with_port else text
    if "%" in bare:
        return None  # a zone may hold any character, and means nothing on another machine
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _scheme(text: str) -> Optional[str]:
    return {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(text.lower())


def _good_port(text: str) -> bool:
    return _PORT(text) is not None and 0 < int(text) < 65536


def _good_host(text: str) -> bool:
    match = _HOST(text)
    if match is None:
        return False
    if text.startswith("[") and _address(text) is None:
        return False
    return match.group(1) is None or _good_port(match.group(1)[1:])


def _good_prefix(text: str) -> bool:
    trimmed = text.rstrip("/")
    return _PREFIX(trimmed) is not None and not any(part in (".", "..") for part in trimmed.split("/"))


def authority(host: str, port: Optional[str], scheme: str) -> str:
    """`host` with `port` in the place of its own; the scheme's usual port is not spelt out."""
    if port is None:
        return host
    bare = host.rsplit(":", 1)[0] if not host.endswith("]") and ":" in host else host
    return bare if port == ("443" if scheme == "https" else "80") else f"{bare}:{port}"


def split_port(host: str, scheme: str) -> str:
    """The port in `host`, or the scheme's own; `host` may be what a client made up."""
    port = host.rpartition(":")[2]
    if port != host and not host.endswith("]") and _good_port(port):
        return port
    return "443" if scheme == "https" else "80"
