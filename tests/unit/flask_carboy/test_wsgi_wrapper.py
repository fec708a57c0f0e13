"""The wrapper's own routes, request ids and gate, around WSGI apps."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask, Response, request
from flask_carboy.drain import DRAIN
from flask_carboy.request_id import make, valid
from flask_carboy.wrap import wrap_wsgi
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.unit.flask_carboy.wsgi_calls import call, environ, settings

Start = Callable[..., Any]


def shop() -> Flask:
    app = Flask("shop")
    app.add_url_rule("/", view_func=lambda: request.headers["X-Request-ID"], endpoint="home")
    return app


@pytest.fixture
def draining() -> Iterable[None]:
    DRAIN.begin()
    yield
    DRAIN.active = False


@pytest.mark.requirement("R10")
def test_health_is_answered_for_any_host() -> None:
    """The live and the ready route answer 200 in front of the app, whatever Host the probe sends."""
    wrapped = wrap_wsgi(shop(), settings())
    for path, word in (("/health", "ok"), ("/ready", "ready")):
        answer = call(wrapped, environ(path, {"Host": "10.1.2.3:4711"}))
        assert (answer.status, json.loads(answer.body)) == (200, {"status": word})
        assert answer.values("Cache-Control") == ["no-store"]


def test_head_of_a_health_route_has_no_body() -> None:
    """HEAD gets GET's headers and nothing more."""
    answer = call(wrap_wsgi(shop(), settings()), environ("/health", REQUEST_METHOD="HEAD"))
    assert (answer.status, answer.body, answer.values("Content-Length")) == (200, b"", ["16"])


def test_other_methods_reach_the_app() -> None:
    """POST on the health route is the app's business."""
    assert call(wrap_wsgi(shop(), settings()), environ("/health", REQUEST_METHOD="POST")).status == 404


@pytest.mark.usefixtures("draining")
def test_a_stopping_process_is_not_ready_but_alive() -> None:
    """While draining, the ready route says 503 and the live route 200."""
    wrapped = wrap_wsgi(shop(), settings())
    answer = call(wrapped, environ("/ready"))
    assert (answer.status, json.loads(answer.body)) == (503, {"status": "draining"})
    assert call(wrapped, environ("/health")).status == 200


@pytest.mark.parametrize("outer", [lambda app: app, ProxyFix, lambda app: app.wsgi_app])
def test_a_route_of_the_app_wins(outer: Callable[[Flask], Any]) -> None:
    """An app's own /health answers, found through what was put around the app, added late as it may be."""
    app = shop()
    wrapped = wrap_wsgi(outer(app), settings())
    assert call(wrapped, environ("/health")).body == b'{"status": "ok"}'
    app.add_url_rule("/health", view_func=lambda: "mine", endpoint="health")
    assert call(wrapped, environ("/health")).body == b"mine"


def test_a_catch_all_is_no_health_route() -> None:
    """An app that answers every path, such as a single-page front end, leaves the health routes to the wrapper."""
    app = shop()
    app.add_url_rule("/<path:page>", view_func=lambda page: page, endpoint="all")
    assert call(wrap_wsgi(app, settings()), environ("/health")).body == b'{"status": "ok"}'


def test_paths_can_be_chosen_and_switched_off() -> None:
    """Other paths can be configured; an empty one leaves the route to the app."""
    wrapped = wrap_wsgi(shop(), settings(live_path="/live", ready_path=""))
    assert call(wrapped, environ("/live")).status == 200
    assert call(wrapped, environ("/health")).status == 404
    assert call(wrapped, environ("/ready")).status == 404


def test_a_well_formed_request_id_is_taken_over() -> None:
    """A proxy's id reaches the app and the response, once."""
    answer = call(wrap_wsgi(shop(), settings()), environ(headers={"X-Request-ID": "abc.DEF-123_4"}))
    assert (answer.body, answer.values("X-Request-ID")) == (b"abc.DEF-123_4", ["abc.DEF-123_4"])


@pytest.mark.parametrize(
    "sent", ["", "short", "a" * 129, "a" * 10_000, "12345678\n", "1234567 8", "12345678;x", "ä" * 9]
)
def test_any_other_request_id_is_replaced(sent: str) -> None:
    """An id that could split a line or fill a log is replaced by a new one."""
    answer = call(wrap_wsgi(shop(), settings()), environ(headers={"X-Request-ID": sent}))
    assert answer.values("X-Request-ID") == [answer.body.decode()]
    assert valid(answer.body.decode())
    assert answer.body.decode() != sent


def test_made_ids_differ() -> None:
    """Two requests never share a made id."""
    assert len({make() for _ in range(1000)}) == 1000


def test_a_request_id_of_the_apps_own_stands() -> None:
    """A response that carries an id already keeps it, and gets no second one."""

    def app(_environ: dict[str, Any], start: Start) -> list[bytes]:
        start("200 OK", [("x-request-id", "mine-mine")])
        return [b""]

    assert call(wrap_wsgi(app, settings()), environ()).values("X-Request-ID") == ["mine-mine"]


def test_a_shared_list_of_headers_is_not_changed() -> None:
    """An app may send the same list of headers again and again."""
    shared = [("Content-Type", "text/plain")]

    def app(_environ: dict[str, Any], start: Start) -> list[bytes]:
        start("200 OK", shared)
        return [b""]

    wrapped = wrap_wsgi(app, settings())
    call(wrapped, environ())
    call(wrapped, environ())
    assert shared == [("Content-Type", "text/plain")]


def test_the_gate_names_the_worker() -> None:
    """A request with the release's token is answered as always, with the worker's name added."""
    wrapped = wrap_wsgi(shop(), settings(gate_token="secret-token"))
    answer = call(wrapped, environ(headers={"X-Carboy-Gate": "secret-token"}))
    assert (answer.status, answer.values("X-Carboy-Worker")) == (200, [str(os.getpid())])


@pytest.mark.parametrize("token", ["", "wrong", "secret-toke", "secret-tokenx", "ÿ"])
def test_a_wrong_token_opens_nothing(token: str) -> None:
    """Without the right token the gate's path is the app's, and no worker is named."""
    wrapped = wrap_wsgi(shop(), settings(gate_token="secret-token"))
    answer = call(wrapped, environ("/.carboy/gate", {"X-Carboy-Gate": token}))
    assert (answer.status, answer.values("X-Carboy-Worker")) == (404, [])


def test_without_a_token_the_gate_stays_shut() -> None:
    """Where no token is configured an empty one does not match."""
    answer = call(wrap_wsgi(shop(), settings()), environ("/.carboy/gate", {"X-Carboy-Gate": ""}))
    assert answer.status == 404


def test_the_gate_reports_its_process() -> None:
    """The gate's route tells worker, release, reference and databases, as the contract says."""
    wrapped = wrap_wsgi(shop(), settings(gate_token="t", release="3", app="shop:app"))
    report = json.loads(call(wrapped, environ("/.carboy/gate", {"X-Carboy-Gate": "t"})).body)
    assert report.pop("databases") is not None
    assert report == {"schema": 1, "worker": os.getpid(), "release": "3", "ref": "shop:app", "draining": False}


def test_the_app_never_sees_the_token() -> None:
    """The token is taken out before the app is called."""
    seen: list[bool] = []

    def app(request_environ: dict[str, Any], start: Start) -> list[bytes]:
        seen.append("HTTP_X_CARBOY_GATE" in request_environ)
        start("200 OK", [])
        return []

    call(wrap_wsgi(app, settings(gate_token="t")), environ(headers={"X-Carboy-Gate": "t"}))
    assert seen == [False]


def test_the_apps_iterable_reaches_the_server() -> None:
    """What the app returns is handed on untouched, so that a server's sendfile still works."""
    body = iter([b"x"])

    def app(_environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return body

    assert wrap_wsgi(app, settings())(environ(), lambda *_: None) is body


@pytest.mark.requirement("L3")
def test_the_access_log_has_one_line_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Time, client, method, path, status, bytes, milliseconds and request id; health and query strings are left out."""
    wrapped = wrap_wsgi(shop(), settings(access_log="1"))
    call(wrapped, environ(headers={"X-Request-ID": "abcdefgh"}, QUERY_STRING="token=secret"))
    call(wrapped, environ("/health"))
    (line,) = capsys.readouterr().err.splitlines()
    time, client, method, path, status, size, took, request_id = line.split(" ")
    assert (client, method, path, status, size, request_id) == ("127.0.0.1", "GET", "/", "200", "8", "abcdefgh")
    assert time.endswith("Z")
    assert took.endswith("ms")


@pytest.mark.parametrize("path", ["/a\nGET /forged", "/a b", "/\x1b[31m", "/\xff", "/" + "a" * 5000])
def test_no_path_forges_a_line(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the path holds, the access line stays one printable line of eight fields."""
    call(wrap_wsgi(shop(), settings(access_log="1")), environ(path))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert line.isascii()
    assert len(line.split(" ")) == 8
    assert len(line) < 4096


def test_a_stream_is_logged_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    """A streamed response is logged when it is closed, with the bytes that were sent."""
    app = shop()
    app.add_url_rule("/stream", view_func=lambda: Response(iter([b"ab", b"cde"])), endpoint="stream")
    assert call(wrap_wsgi(app, settings(access_log="1")), environ("/stream")).body == b"abcde"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.split(" ")[3:6] == ["/stream", "200", "5"]


def test_an_app_that_raises_is_logged_as_500(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception that leaves the app is logged and handed on to the server."""

    def app(_environ: dict[str, Any], _start: Start) -> list[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(wrap_wsgi(app, settings(access_log="1")), environ())
    assert " GET / 500 " in capsys.readouterr().err
