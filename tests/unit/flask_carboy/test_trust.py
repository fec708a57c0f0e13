"""Forwarding headers: believed for exactly the configured number of proxies, by WSGI and by ASGI alike."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask, request
from flask_carboy import asgi, wsgi
from flask_carboy.wrap import wrap_wsgi
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.unit.flask_carboy.wsgi_calls import call, environ, scope, settings

pytestmark = pytest.mark.requirement("P5")

FOR, PROTO, HOST, PORT, PREFIX = (f"X-Forwarded-{part}" for part in ("For", "Proto", "Host", "Port", "Prefix"))


def seen(hops: int, headers: dict[str, str], prefix: bool = False) -> tuple[str, str, str, str]:
    """Client, scheme, host and prefix as the WSGI app sees them; the ASGI app must see the same."""
    if hops == 0:
        wrapped = environ(headers=headers)
        call(wrap_wsgi(_nothing, settings()), wrapped)
    else:
        wrapped = environ(headers=headers)
        wsgi.trust(wrapped, hops, prefix)
        _same_by_asgi(hops, headers, prefix, wrapped)
    return wrapped["REMOTE_ADDR"], wrapped["wsgi.url_scheme"], wrapped["HTTP_HOST"], wrapped["SCRIPT_NAME"]


def _same_by_asgi(hops: int, headers: dict[str, str], prefix: bool, wrapped: dict[str, Any]) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    request_scope = scope(headers=raw)
    asgi.trust(request_scope, hops, prefix)
    hosts = [value.decode() for name, value in request_scope["headers"] if name == b"host"]
    assert request_scope["client"][0] == wrapped["REMOTE_ADDR"]
    assert request_scope["scheme"] == wrapped["wsgi.url_scheme"]
    assert hosts == [wrapped["HTTP_HOST"]]
    assert request_scope["root_path"] == wrapped["SCRIPT_NAME"]


def _nothing(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


UNTOUCHED = ("127.0.0.1", "http", "127.0.0.1:8000", "")


@pytest.mark.parametrize(
    ("hops", "headers", "expected"),
    [
        (0, {FOR: "203.0.113.9", PROTO: "https", HOST: "evil.example"}, UNTOUCHED),
        (1, {}, UNTOUCHED),
        (1, {FOR: "203.0.113.9"}, ("203.0.113.9", *UNTOUCHED[1:])),
        (1, {FOR: "6.6.6.6, 203.0.113.9"}, ("203.0.113.9", *UNTOUCHED[1:])),
        (2, {FOR: "6.6.6.6, 203.0.113.9, 10.0.0.1"}, ("203.0.113.9", *UNTOUCHED[1:])),
        (2, {FOR: "203.0.113.9"}, UNTOUCHED),
        (3, {FOR: "1.1.1.1,2.2.2.2,3.3.3.3"}, ("1.1.1.1", *UNTOUCHED[1:])),
        (1, {FOR: "2001:db8::1"}, ("2001:db8::1", *UNTOUCHED[1:])),
        (1, {FOR: "[2001:DB8::1]:4711"}, ("2001:db8::1", *UNTOUCHED[1:])),
        (1, {FOR: "203.0.113.9:4711"}, ("203.0.113.9", *UNTOUCHED[1:])),
        (1, {PROTO: "https"}, ("127.0.0.1", "https", "127.0.0.1:8000", "")),
        (1, {PROTO: "http, HTTPS"}, ("127.0.0.1", "https", "127.0.0.1:8000", "")),
        (1, {HOST: "shop.example"}, ("127.0.0.1", "http", "shop.example", "")),
        (1, {HOST: "shop.example:8443"}, ("127.0.0.1", "http", "shop.example:8443", "")),
        (1, {HOST: "[2001:db8::1]:8443"}, ("127.0.0.1", "http", "[2001:db8::1]:8443", "")),
        (1, {HOST: "shop.example", PORT: "8443"}, ("127.0.0.1", "http", "shop.example:8443", "")),
        (1, {HOST: "shop.example:8000", PORT: "443", PROTO: "https"}, ("127.0.0.1", "https", "shop.example", "")),
        (1, {HOST: "[::1]", PORT: "9000"}, ("127.0.0.1", "http", "[::1]:9000", "")),
        (1, {PREFIX: "/shop"}, UNTOUCHED),
    ],
)
def test_the_nth_value_from_the_right_counts(
    hops: int, headers: dict[str, str], expected: tuple[str, str, str, str]
) -> None:
    """With N proxies trusted, the Nth value from the right is the client's, and nothing left of it."""
    assert seen(hops, headers) == expected


@pytest.mark.parametrize(("sent", "expected"), [("/shop", "/shop"), ("/a/b/", "/a/b"), ("/shop, /inner", "/inner")])
def test_a_prefix_is_taken_where_it_is_trusted(sent: str, expected: str) -> None:
    """X-Forwarded-Prefix becomes SCRIPT_NAME only where the proxies are said to set it."""
    assert seen(1, {PREFIX: sent}, prefix=True)[3] == expected


MALFORMED = [
    "", " ", ",", ",,", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "999.1.1.1", "1.2.3.4:99999x", '"1.2.3.4"', "'::1'",
    "[::1", "::1]", "[fe80::1%eth0]", "fe80::1%eth0", "1.2.3.4\r\nX: y", "1.2.3.4\n", "1.2.3.4\x00", "\x7f", "1 2",
    "a" * 10_000, "/", "//evil.example", "/a/../b", "/a b", "javascript:", "https://evil.example", "ftp", "0", "65536",
    "-1", "+80", "８０", "shop.example/path", "user@shop.example", "shop.example:", "shop.example:0", "shop example",
    "sh\xf6p.example", "[shop.example]", "<script>", ";", "shop.example;x", "..", "-", "${jndi:ldap://x}",
]  # fmt: skip


@pytest.mark.parametrize("value", MALFORMED, ids=lambda value: ascii(value[:20]))
def test_malformed_values_are_ignored(value: str) -> None:
    """A value that is not what the header holds changes nothing, and fails nothing."""
    latin = value.encode("utf-8").decode("latin-1")
    assert seen(1, {FOR: latin, PORT: latin}, prefix=True) == UNTOUCHED
    assert seen(1, {PROTO: latin}, prefix=True) == UNTOUCHED
    host = seen(1, {HOST: latin, PREFIX: latin}, prefix=True)
    assert host[:2] == UNTOUCHED[:2]
    assert all(character.isprintable() and character not in " /<>@\"'" for character in host[2])


def _told() -> Flask:
    app = Flask("told")
    app.add_url_rule(
        "/", view_func=lambda: [request.remote_addr, request.scheme, request.host, request.script_root], endpoint="x"
    )
    return app


@pytest.mark.parametrize("own_hops", [1, 2, 3])
def test_an_apps_own_proxy_fix_comes_to_the_same(own_hops: int) -> None:
    """An app with a ProxyFix of its own, right or wrong, sees what the trusted proxy said and no client's lie."""
    app = _told()
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app, x_for=own_hops, x_proto=own_hops, x_host=own_hops, x_port=own_hops, x_prefix=own_hops
    )
    wrapped = wrap_wsgi(app, settings(trusted_hops="1", trusted_prefix="1"))
    headers = {
        FOR: "6.6.6.6, 203.0.113.9",
        PROTO: "http, https",
        HOST: "evil.example, shop.example",
        PREFIX: "/evil, /shop",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
    }
    answer = call(wrapped, environ(headers=headers))
    assert answer.body.split() == b'["203.0.113.9","https","shop.example","/shop"]'.split()


def test_what_nobody_vouches_for_is_gone() -> None:
    """Behind trusted proxies, the app finds no forwarding header that a client may have written."""
    headers = {FOR: "garbage", HOST: "evil example", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6", PREFIX: "/x"}
    request_environ = environ(headers=headers)
    wsgi.trust(request_environ, 1, with_prefix=False)
    assert [name for name in request_environ if "FORWARDED" in name or "REAL_IP" in name] == []


def test_without_proxies_headers_stay_where_they_are() -> None:
    """With no proxy configured nothing is believed and nothing is taken away."""
    request_environ = environ(headers={FOR: "203.0.113.9"})
    call(wrap_wsgi(_nothing, settings()), request_environ)
    assert request_environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    assert request_environ["REMOTE_ADDR"] == "127.0.0.1"


TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=60)
ADDRESS = st.one_of(st.ip_addresses().map(str), TEXT)
LISTS = st.lists(st.one_of(ADDRESS, TEXT), max_size=4).map(", ".join)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        FOR: LISTS,
        PROTO: st.one_of(st.sampled_from(["http", "https", "ws"]), LISTS),
        HOST: st.one_of(st.sampled_from(["shop.example", "shop.example:1"]), LISTS),
        PORT: st.one_of(st.integers().map(str), TEXT),
        PREFIX: st.one_of(st.sampled_from(["/a", "//a", "/a/.."]), LISTS),
        "Forwarded": TEXT,
        "Host": TEXT,
        "X-Real-IP": TEXT,
        "X-Request-ID": st.one_of(TEXT, st.text("ab.-_", min_size=7, max_size=130)),
        "X-Carboy-Gate": TEXT,
    },
)


@effort(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(headers=HEADERS, hops=st.integers(0, 3))
def test_no_header_brings_an_error_a_split_line_or_a_lie(headers: dict[str, str], hops: int) -> None:
    """1,000 fuzzed header sets: always an answer, no control character behind the wrapper, no lie believed."""
    app = wrap_wsgi(_told(), settings(trusted_hops=str(hops), trusted_prefix="1", gate_token="the-token"))
    request_environ = environ(headers=headers)
    answer = call(app, request_environ)
    # Werkzeug refuses a Host that is none, with or without us; newer ones with 400.
    assert answer.status in ((200, 400) if "Host" in headers else (200,))
    (request_id,) = answer.values("X-Request-ID")
    assert request_id.isascii()
    assert request_id.isprintable()
    assert answer.values("X-Carboy-Worker") == []
    believed = [request_environ[name] for name in ("REMOTE_ADDR", "SCRIPT_NAME", "wsgi.url_scheme", "SERVER_PORT")]
    believed += [request_environ.get("HTTP_X_FORWARDED_HOST", "")] if hops else []
    assert all(text.isascii() and text.isprintable() for text in believed)
    parts = [part.strip() for part in headers.get(FOR, "").split(",")]
    if request_environ["REMOTE_ADDR"] != "127.0.0.1":
        assert 0 < hops <= len(parts)
