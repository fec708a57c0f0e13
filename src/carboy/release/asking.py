"""One request of the gate, asked as a client would, with everything a report wants to show of the answer."""

import http.client
import time
from dataclasses import dataclass, field

LARGEST_BODY = 262_144  # bytes that are read of an answer


@dataclass(frozen=True)
class Ask:
    """A request: `path` with its query, and headers beside Host."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is None where nothing did: then `fault` is `refused`, `no answer` or what broke."""

    ask: Ask
    status: int | None
    headers: dict[str, str]
    body: bytes
    seconds: float
    fault: str = ""

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def worker(self) -> str:
        return self.headers.get("x-carboy-worker", "")

    def text(self, most: int = 2000) -> str:
        return self.body[:most].decode("utf-8", "replace")


@dataclass(frozen=True)
class Door:
    """Where the server listens, and as what it is addressed: `host` goes into the Host header."""

    address: str
    port: int
    host: str


def ask(door: Door, request: Ask, *, timeout: float) -> Answer:
    """Ask once on a new connection; never raises for what the server does."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection(door.address, door.port, timeout=timeout)
    headers = {"Host": door.host, "User-Agent": "carboy-gate", "Connection": "close", **request.headers}
    try:
        connection.request(request.method, request.path, headers=headers)
        response = connection.getresponse()
        body = _read(response, begun + timeout)
    except ConnectionRefusedError:
        return _broken(request, begun, "refused")
    except TimeoutError:
        return _broken(request, begun, f"no answer within {timeout:.0f} s")
    except (OSError, http.client.HTTPException, ValueError) as fault:
        return _broken(request, begun, f"{type(fault).__name__}: {fault}")
    finally:
        connection.close()
    fields = {name.lower(): value for name, value in response.getheaders()}
    return Answer(request, response.status, fields, body, time.monotonic() - begun)


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, or as much of it as came by the deadline: a stream without an end is an answer too."""
    parts: list[bytes] = []
    size = 0
    while size < LARGEST_BODY and time.monotonic() < deadline:
        try:
            part = response.read1(LARGEST_BODY - size)
        except TimeoutError:
            if size:
                break
            raise
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _broken(request: Ask, begun: float, fault: str) -> Answer:
    return Answer(request, None, {}, b"", time.monotonic() - begun, fault)
