"""The gate, asked of small real HTTP servers that behave as apps do in the field."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from carboy.errors import Failed
from carboy.release.asking import Door
from carboy.release.gate import GateReport, GateRequest, pass_gate
from tests.support.ports import unused_port

Answerer = Callable[[str, int], tuple[int, dict[str, str], bytes]]
OK = (200, {"Content-Type": "application/json"}, b'{"status": "ok"}')


class Site:
    """A server whose answers are a function of the path and of how often it was asked."""

    def __init__(self, answer: Answerer, workers: int = 1) -> None:
        self.answer = answer
        self.workers = workers
        self.asked: list[str] = []
        self.hosts: set[str] = set()

    def respond(self, path: str, token: str, host: str) -> tuple[int, dict[str, str], bytes]:
        count = self.asked.count(path)
        self.asked.append(path)
        self.hosts.add(host)
        status, headers, body = self.answer(path, count)
        worker = str(100 + len(self.asked) % self.workers)
        return status, ({**headers, "X-Carboy-Worker": worker} if token == "right" else headers), body


@contextmanager
def served(site: Site) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token, host = self.headers.get("X-Carboy-Gate", ""), self.headers.get("Host", "")
            status, headers, body = site.respond(self.path, token, host)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def gate(
    port: int,
    *,
    pages: tuple[str, ...] = ("/",),
    workers: int = 1,
    static: str | None = None,
    timeout: float = 3.0,
    alive: Callable[[], str | None] = lambda: None,
    prepared: tuple[dict[str, str], ...] = (),
) -> GateReport:
    return pass_gate(
        GateRequest(
            door=Door("127.0.0.1", port, f"localhost:{port}"),
            token="right",
            workers=workers,
            live="/health",
            ready="/ready",
            pages=pages,
            static=static,
            timeout=timeout,
            alive=alive,
            prepared=prepared,
        )
    )


def good(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
    return OK


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404])
def test_an_app_whose_front_page_is_no_200_passes(status: int) -> None:
    """302, 400 and 404 on / are what many sound apps answer there."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        return (status, {"Location": "https://login.example/"}, b"x") if path == "/" else OK

    with served(Site(answer)) as port:
        report = gate(port)
    assert [item.what for item in report.asked][:3] == ["alive", "ready", "worker"]


@pytest.mark.requirement("R10")
def test_a_page_right_at_first_and_wrong_later_is_refused() -> None:
    """The first answer of a worker proves nothing: a page is asked more than once."""

    def answer(path: str, count: int) -> tuple[int, dict[str, str], bytes]:
        return (500, {}, b"Internal Server Error: loop is closed") if path == "/list" and count else OK

    with served(Site(answer)) as port, pytest.raises(Failed) as refused:
        gate(port, pages=("/list",))
    shown = "\n".join(refused.value.details)
    assert refused.value.where == "gate: page"
    assert "> GET /list" in shown
    assert "< 500" in shown
    assert "loop is closed" in shown


@pytest.mark.requirement("R10")
def test_a_redirect_is_followed_to_the_page_behind_it() -> None:
    """A front page that redirects to a broken one is refused for the broken one."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        if path == "/":
            return 302, {"Location": "/home?x=1"}, b""
        return (503, {}, b"no such table") if path == "/home?x=1" else OK

    with served(Site(answer)) as port, pytest.raises(Failed, match=r"/home\?x=1 answered 503"):
        gate(port)


@pytest.mark.requirement("R10")
def test_redirects_without_end_are_refused() -> None:
    """A page that redirects to itself is not served to anybody."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        return (302, {"Location": "/"}, b"") if path == "/" else OK

    with served(Site(answer)) as port, pytest.raises(Failed, match="redirects without end"):
        gate(port)


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("word", ["error", "FAIL", "down", "unhealthy"])
def test_a_health_route_that_says_it_is_ill_with_200_is_refused(word: str) -> None:
    """The body of a health route is read, not only its status."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, json.dumps({"status": word}).encode()) if path == "/health" else OK

    with served(Site(answer)) as port, pytest.raises(Failed, match=f'says "status": "{word.lower()}"'):
        gate(port)


@pytest.mark.requirement("R10")
def test_every_worker_must_answer() -> None:
    """Two processes that answer where three were started are not enough."""
    with served(Site(good, workers=2)) as port, pytest.raises(Failed, match="2 of 3 workers answered"):
        gate(port, workers=3, timeout=0.5)


@pytest.mark.requirement("R10")
def test_all_workers_are_named_once() -> None:
    """The report names each worker that answered, once."""
    with served(Site(good, workers=3)) as port:
        report = gate(port, workers=3)
    assert report.workers == ("100", "101", "102")
    assert len([item for item in report.asked if item.what == "worker"]) == 3


@pytest.mark.requirement("R10")
def test_a_static_file_that_is_missing_is_refused() -> None:
    """Pages without their style sheet are no release."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        return (404, {}, b"") if path == "/static/a.css" else OK

    with served(Site(answer)) as port, pytest.raises(Failed, match=r"/static/a.css answered 404"):
        gate(port, static="/static/a.css")


@pytest.mark.requirement("R10")
def test_not_ready_becomes_ready() -> None:
    """503 on the ready route is waited for, within the time of the gate."""

    def answer(path: str, count: int) -> tuple[int, dict[str, str], bytes]:
        return (503, {}, b"{}") if path == "/ready" and count < 3 else OK

    site = Site(answer)
    with served(site) as port:
        gate(port)
    assert site.asked.count("/ready") == 4


@pytest.mark.requirement("R10")
def test_never_ready_is_refused_with_its_answer() -> None:
    """A release that stays unready is refused in time, and its answer is shown."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        return (503, {}, b'{"status": "draining"}') if path == "/ready" else OK

    with served(Site(answer)) as port, pytest.raises(Failed, match="was not ready in time") as refused:
        gate(port, timeout=0.3)
    assert any("draining" in line for line in refused.value.details)


@pytest.mark.requirement("R10")
def test_a_port_where_nothing_listens_is_told_from_one_that_hangs() -> None:
    """Refused and silent are two faults with two hints."""
    port = unused_port()
    with pytest.raises(Failed, match="nothing listens on port"):
        gate(port, timeout=0.3)
    silent = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    with silent, pytest.raises(Failed, match="listens but does not answer"):
        gate(silent.server_address[1], timeout=0.6)


@pytest.mark.requirement("R10")
def test_a_server_that_died_is_not_waited_for() -> None:
    """What the supervisor says of a dead server ends the wait at once."""
    with pytest.raises(Failed, match="the server ended with exit code 3"):
        gate(unused_port(), timeout=60, alive=lambda: "the server ended with exit code 3")


@pytest.mark.requirement("R10")
def test_the_host_asked_for_is_the_sites_own() -> None:
    """Apps that check their host would refuse a bare address."""
    site = Site(good)
    with served(site) as port:
        gate(port)
    assert site.hosts == {f"localhost:{port}"}


@pytest.mark.requirement("R10")
def test_release_commands_and_server_on_two_databases_are_refused() -> None:
    """Split brain: the migration succeeded on another file than the one that is served."""

    def answer(path: str, _count: int) -> tuple[int, dict[str, str], bytes]:
        account = {"databases": [{"engine": "sqlite", "address": "", "name": "/b/app.db"}]}
        return (200, {}, json.dumps(account).encode()) if path == "/.carboy/gate" else OK

    same = ({"engine": "sqlite", "address": "", "name": "/b/app.db"},)
    other = ({"engine": "sqlite", "address": "", "name": "/a/app.db"},)
    with served(Site(answer)) as port:
        gate(port, prepared=same)
        with pytest.raises(Failed, match=r"prepared /a/app.db, but the server opened /b/app.db"):
            gate(port, prepared=other)
