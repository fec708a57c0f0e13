"""Coroutine views on the worker's own event loop."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, g, render_template_string, request, session, template_rendered
from flask_carboy import green
from flask_carboy.errors import StartFault
from flask_carboy.loop import LOOP
from flask_carboy.wrap import wrap_wsgi

from tests.unit.flask_carboy.wsgi_calls import call, environ, settings

pytestmark = pytest.mark.requirement("S4")


def shop() -> Flask:
    app = Flask("shop")
    app.secret_key = "x" * 32
    loops: list[Any] = []

    @app.route("/loop")
    async def loop() -> str:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return str(len({id(one) for one in loops}))

    @app.route("/mine/<name>")
    async def mine(name: str) -> str:
        g.name = name
        session["name"] = name
        await asyncio.sleep(0.002)
        return f"{request.view_args} {g.name} {session['name']}"

    @app.after_request
    def after(response: Any) -> Any:
        response.headers["X-Name"] = g.get("name", "")
        return response

    @app.route("/boom")
    async def boom() -> str:
        raise LookupError("boom")

    @app.route("/exit")
    async def leave() -> str:
        sys.exit(3)

    return app


def test_all_views_share_one_loop() -> None:
    """Requests from many threads run on one loop, so that a pool made by the first serves the last."""
    wrapped = wrap_wsgi(shop(), settings())
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: call(wrapped, environ("/loop")).body, range(64)))
    assert set(bodies) == {b"1"}


def test_each_request_keeps_its_own_context() -> None:
    """Request, session and g are the request's own inside the coroutine and after it, however many run at once."""
    wrapped = wrap_wsgi(shop(), settings())

    def one(number: int) -> tuple[bytes, list[str], bool]:
        answer = call(wrapped, environ(f"/mine/n{number}"))
        return answer.body, answer.values("X-Name"), bool(answer.values("Set-Cookie"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(128)))
    expected = [(f"{{'name': 'n{n}'}} n{n} n{n}".encode(), [f"n{n}"], True) for n in range(128)]
    assert answers == expected


def test_an_exception_is_the_requests_own() -> None:
    """An exception reaches Flask's error handling, and an exit ends the request and not the loop."""
    app = shop()
    app.register_error_handler(LookupError, lambda error: (str(error), 418))
    wrapped = wrap_wsgi(app, settings())
    assert call(wrapped, environ("/boom")).status == 418
    with pytest.raises(SystemExit):
        call(wrapped, environ("/exit"))
    assert call(wrapped, environ("/loop")).status == 200


def test_a_coroutine_may_lead_to_another() -> None:
    """A coroutine that calls something synchronous which needs a coroutine again does not wait for ever."""
    app = shop()
    heard: list[str] = []

    @app.route("/template")
    async def template() -> str:
        return render_template_string("hello")

    async def rendered(_sender: Any, **_extra: Any) -> None:
        await asyncio.sleep(0)
        heard.append(request.path)

    with template_rendered.connected_to(rendered, app):
        assert call(wrap_wsgi(app, settings()), environ("/template")).body == b"hello"
    assert heard == ["/template"]


def test_what_a_coroutine_sets_is_seen_after_it() -> None:
    """A context variable that the coroutine sets is set for the caller, as after a plain call."""
    from contextvars import ContextVar

    variable = ContextVar("variable", default=0)

    async def count() -> None:
        variable.set(variable.get() + 1)

    variable.set(1)
    LOOP.run(count)
    assert variable.get() == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_worker_starts_its_own_loop() -> None:
    """After a fork the child's first coroutine runs, though the parent's thread is gone."""

    async def answer() -> int:
        return 42

    assert LOOP.run(answer) == 42
    child = os.fork()
    if child == 0:
        os._exit(LOOP.run(answer))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42


def test_an_interrupted_request_cancels_its_coroutine() -> None:
    """When the waiting thread is interrupted, the coroutine does not go on alone."""
    cancelled = threading.Event()
    started = threading.Event()

    async def endless() -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    import signal

    def interrupt(_number: int, _frame: object) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(TimeoutError):
            LOOP.run(endless)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert started.is_set()
    assert cancelled.wait(5)


def test_flasks_own_way_can_be_kept() -> None:
    """With CARBOY_ASYNC_LOOP=request, or an async_to_sync of its own, the app is left as it is."""

    class Own(Flask):
        def async_to_sync(self, func: Any) -> Any:
            return super().async_to_sync(func)

    plain, own = shop(), Own("own")
    wrap_wsgi(plain, settings(async_loop="request"))
    wrap_wsgi(own, settings())
    assert "async_to_sync" not in vars(plain)
    assert "async_to_sync" not in vars(own)


@pytest.mark.requirement("S1")
def test_green_threads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under gevent or eventlet an app with coroutine views does not start, and one without does."""
    from types import SimpleNamespace

    patched = SimpleNamespace(is_module_patched=lambda name: name == "threading")
    monkeypatch.setitem(sys.modules, "gevent.monkey", patched)  # stands for the library
    assert green.patched_by() == "gevent"
    with pytest.raises(StartFault, match="cannot run under gevent"):
        wrap_wsgi(shop(), settings())
    wrap_wsgi(Flask("plain"), settings())
