"""What is refused, with the reason and the way out."""

from dataclasses import replace

import pytest

from carboy.errors import EXIT_USAGE, UsageFault
from carboy.model.host import Host
from carboy.model.launch import Listen, Paths
from carboy.model.plan import App, Plan, Server
from carboy.servers.base import launch

HOST = Host(cpus=2, memory=8 * 1024**3)
PATHS = Paths("/env/bin", "/art", "/src", "/run/shop")
WSGI = App(name="shop", ref="shop:app")
ASGI = replace(WSGI, interface="asgi")
COROUTINES = replace(WSGI, async_views=True)

REFUSED = [
    ("async views on gevent", COROUTINES, "gunicorn", "gevent", "5881", "S1"),
    ("async views on eventlet", COROUTINES, "gunicorn", "eventlet", "5881", "S1"),
    ("aiohttp's worker", WSGI, "gunicorn", "aiohttp.GunicornWebWorker", "aiohttp applications only", "S1"),
    ("a worker class that nobody knows", WSGI, "gunicorn", "turbo", "no such worker class: turbo", "S1"),
    ("an ASGI app on gthread", ASGI, "gunicorn", "gthread", "served by gthread", "S1"),
    ("an ASGI app on uWSGI", ASGI, "uwsgi", "gthread", "served by uwsgi", "S2"),
    ("an ASGI app on Waitress", ASGI, "waitress", "gthread", "served by waitress", "S3"),
    ("own ASGI worker on Python 3.9", replace(ASGI, python="3.9"), "gunicorn", "asgi", "Python 3.10", "S1"),
    ("Granian on Python 3.8", replace(WSGI, python="3.8.18"), "granian", "gthread", "drops running requests", "S6"),
    ("nothing to import", replace(WSGI, ref=None, command="shop serve"), "gunicorn", "sync", "nothing to import", "S1"),
]


@pytest.mark.parametrize(
    ("app", "kind", "worker_class", "reason"),
    [
        pytest.param(app, kind, worker, reason, id=name, marks=pytest.mark.requirement(promise))
        for name, app, kind, worker, reason, promise in REFUSED
    ],
)
def test_refused_with_the_reason(app: App, kind: str, worker_class: str, reason: str) -> None:
    """The fault says why, names the key of the plan and what to use instead."""
    server = Server(kind=kind, worker_class=worker_class)  # type: ignore[arg-type]
    with pytest.raises(UsageFault) as fault:
        launch(Plan(app=app, server=server), HOST, Listen(), PATHS)
    assert reason in fault.value.what
    assert fault.value.where.partition(".")[0] in {"server", "app"}
    assert fault.value.hint
    assert fault.value.exit_code == EXIT_USAGE


@pytest.mark.requirement("S3")
def test_windows_has_waitress() -> None:
    """Servers that fork are refused on Windows, and Waitress is named, which is served there."""
    windows = replace(HOST, system="windows")
    for kind in ("gunicorn", "uwsgi"):
        with pytest.raises(UsageFault, match="Windows") as fault:
            launch(Plan(app=WSGI, server=Server(kind=kind)), windows, Listen(), PATHS)
        assert "waitress" in fault.value.hint
    assert launch(Plan(app=WSGI, server=Server(kind="waitress")), windows, Listen(), PATHS).workers == 1
