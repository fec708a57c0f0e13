"""The wrapper around ASGI apps, native ones and bridged ones."""

import json
import os
from collections.abc import Iterable
from typing import Any

import pytest
from asgiref.wsgi import WsgiToAsgi
from flask import Flask, request
from flask_carboy.drain import DRAIN
from flask_carboy.wrap import wrap_asgi

from tests.unit.flask_carboy.wsgi_calls import ask, scope, settings


async def native(request_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    headers = {name.decode(): value.decode() for name, value in request_scope["headers"]}
    seen = {"headers": headers, "client": request_scope["client"], "scheme": request_scope["scheme"]}
    seen["path"] = [request_scope["root_path"], request_scope["path"]]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


def bridged() -> Flask:
    app = Flask("bridged")
    app.add_url_rule(
        "/", view_func=lambda: {"id": request.headers["X-Request-ID"], "client": request.remote_addr}, endpoint="home"
    )
    return app


@pytest.fixture
def draining() -> Iterable[None]:
    DRAIN.begin()
    yield
    DRAIN.active = False


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_health_gate_and_request_id(interface: str) -> None:
    """An ASGI server's wrapper answers health and gate and gives ids, for native and bridged apps alike."""
    app = native if interface == "asgi" else bridged()
    wrapped = wrap_asgi(app, settings(interface=interface, gate_token="t", release="3"))
    assert json.loads(ask(wrapped, scope("/health")).body) == {"status": "ok"}
    assert json.loads(ask(wrapped, scope("/ready")).body) == {"status": "ready"}
    token = [(b"x-carboy-gate", b"t")]
    assert json.loads(ask(wrapped, scope("/.carboy/gate", token)).body)["release"] == "3"
    answer = ask(wrapped, scope("/", [*token, (b"x-request-id", b"abcdefgh")]))
    assert answer.values("x-carboy-worker") == [str(os.getpid())]
    assert answer.values("x-request-id") == ["abcdefgh"]
    assert b"abcdefgh" in answer.body
    assert b"x-carboy-gate" not in answer.body


@pytest.mark.requirement("P5")
def test_a_native_app_sees_what_the_proxy_said() -> None:
    """Client, scheme, host and root path of the scope are the trusted proxy's; forged headers are gone."""
    wrapped = wrap_asgi(native, settings(interface="asgi", trusted_hops="1", trusted_prefix="1"))
    headers = [
        (b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"shop.example"), (b"x-forwarded-prefix", b"/shop"), (b"forwarded", b"for=6.6.6.6"),
    ]  # fmt: skip
    seen = json.loads(ask(wrapped, scope("/cart", headers)).body)
    assert (seen["client"], seen["scheme"], seen["path"]) == (["203.0.113.9", 0], "https", ["/shop", "/shop/cart"])
    assert (seen["headers"]["host"], seen["headers"]["x-forwarded-for"]) == ("shop.example", "203.0.113.9")
    assert "forwarded" not in seen["headers"]


@pytest.mark.usefixtures("draining")
def test_connections_end_while_draining() -> None:
    """A stopping process is not ready, and its answers ask clients to close their connections."""
    wrapped = wrap_asgi(bridged(), settings())
    assert ask(wrapped, scope("/ready")).status == 503
    assert ask(wrapped, scope()).values("connection") == ["close"]


def test_asgirefs_adapter_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    """An app that wraps itself in WsgiToAsgi, which answers 500 under load, is served by our bridge."""
    adapter: Any = WsgiToAsgi
    wrapped = wrap_asgi(adapter(bridged()), settings(interface="asgi"))
    assert json.loads(ask(wrapped, scope()).body)["client"] == "127.0.0.1"
    assert "WsgiToAsgi is replaced" in capsys.readouterr().err


def test_the_access_log_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has the fields of the WSGI wrapper's."""
    wrapped = wrap_asgi(bridged(), settings(access_log="1"))
    body = ask(wrapped, scope("/", [(b"x-request-id", b"abcdefgh")])).body
    (line,) = capsys.readouterr().err.splitlines()
    fields = line.split(" ")
    assert fields[1:6] == ["127.0.0.1", "GET", "/", "200", str(len(body))]
    assert fields[7] == "abcdefgh"
