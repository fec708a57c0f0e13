"""A visitor of a running app: pages with cookies and redirects, files, and Socket.IO over long polling."""

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

TIMEOUT = 30
OPEN, CLOSE, PING, PONG, MESSAGE = "01234"  # packets of Engine.IO 4
CONNECT, EVENT = MESSAGE + "0", MESSAGE + "2"  # packets of Socket.IO 5 inside of them
SEPARATOR = "\x1e"


@dataclass(frozen=True)
class Answer:
    """What came back in the end, after redirects; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Visitor:
    """One browser: it keeps its cookies and follows redirects. Never through a proxy."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.url + path))

    def send(self, path: str, data: bytes, content_type: str) -> Answer:
        return self._ask(urllib.request.Request(self.url + path, data, {"Content-Type": content_type}))

    def send_form(self, path: str, fields: Mapping[str, str]) -> Answer:
        return self.send(path, urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def send_json(self, path: str, value: Any) -> Answer:
        return self.send(path, json.dumps(value).encode(), "application/json")

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            answer = self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as refusal:  # an answer like any other
            answer = refusal
        with answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, headers, answer.read())


def nobody_listens(url: str) -> bool:
    """Whether a connection to the address is refused."""
    address = urllib.parse.urlsplit(url)
    try:
        with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=5):
            return False
    except ConnectionRefusedError:
        return True


class LongPoll:
    """A Socket.IO connection by polling: every request must reach the process that opened it."""

    def __init__(self, visitor: Visitor, path: str, namespace: str = "/") -> None:
        self._visitor = visitor
        self._address = f"{path}?EIO=4&transport=polling"
        self._prefix = "" if namespace == "/" else f"{namespace},"
        answer = visitor.get(self._address)
        assert answer.status == 200, f"{answer.status} {answer.text[:200]}"
        assert answer.text.startswith(OPEN), answer.text[:200]
        self.opened: dict[str, Any] = json.loads(answer.text[1:])
        self._address += f"&sid={self.opened['sid']}"

    def connect(self) -> None:
        """Join the namespace."""
        self._send(CONNECT + self._prefix)
        self._wait_for(CONNECT + self._prefix)

    def emit(self, event: str, value: Any) -> None:
        self._send(EVENT + self._prefix + json.dumps([event, value]))

    def wait_for_event(self, event: str, text: str, seconds: float = 20) -> None:
        """Read events until those of this name have carried `text` between them."""
        deadline, heard = time.monotonic() + seconds, ""
        while text not in heard:
            assert time.monotonic() < deadline, f"no {event} with {text!r}; heard {heard[-500:]!r}"
            heard += "".join(str(value) for name, value in self._events() if name == event)

    def close(self) -> None:
        self._send(CLOSE)

    def _events(self) -> Iterator[tuple[str, Any]]:
        for packet in self._poll():
            if packet.startswith(EVENT + self._prefix):
                name, *values = json.loads(packet.removeprefix(EVENT + self._prefix))
                yield name, values

    def _wait_for(self, start: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not any(packet.startswith(start) for packet in self._poll()):
            assert time.monotonic() < deadline, f"no packet that starts with {start}"

    def _poll(self) -> list[str]:
        answer = self._visitor.get(self._address)
        assert answer.status == 200, f"poll: {answer.status} {answer.text[:200]}"
        packets = answer.text.split(SEPARATOR)
        if PING in packets:
            self._send(PONG)
        return packets

    def _send(self, packet: str) -> None:
        answer = self._visitor.send(self._address, packet.encode(), "text/plain;charset=UTF-8")
        assert answer.status == 200, f"{packet[:60]}: {answer.status} {answer.text[:200]}"


def switches_to_websocket(url: str, path: str) -> bool:
    """Whether the server agrees to a WebSocket at the Engine.IO address."""
    address = urllib.parse.urlsplit(url)
    lines = (
        f"GET {path}?EIO=4&transport=websocket HTTP/1.1",
        f"Host: {address.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=TIMEOUT) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return connection.recv(4096).startswith(b"HTTP/1.1 101 ")
