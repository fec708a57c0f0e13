"""Every server and worker class serves the same app: under load, at a stop, and without believing its clients."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from _pytest.mark import ParameterSet

from carboy.errors import UsageFault
from carboy.model.launch import Listen, Paths
from carboy.model.plan import App, Plan, Server
from carboy.release.interpreters import find_interpreters
from carboy.servers.base import launch, requirements
from tests.system.load import Load, Tally, run, run_async
from tests.system.served import HOST, Served, environment, serving, wait_until

pytestmark = pytest.mark.system

SECONDS = float(os.environ.get("CARBOY_LOAD_SECONDS", "10"))
CONNECTIONS = 64
GRACE = 10

GUNICORN = {kind: Server(kind="gunicorn", worker_class=kind) for kind in ("sync", "gthread", "uvicorn", "asgi")}
GREEN = {kind: Server(kind="gunicorn", worker_class=kind) for kind in ("gevent", "eventlet")}
OTHERS = {kind: Server(kind=kind) for kind in ("uwsgi", "waitress", "uvicorn", "granian")}

PROMISE = {"gunicorn": "S1", "uwsgi": "S2", "waitress": "S3", "uvicorn": "S4", "granian": "S6"}


def variants(*names: str) -> list[ParameterSet]:
    """Parameters for these servers, or for all, each with the requirement it holds."""
    chosen = []
    for name, server in SERVERS.items():
        if not names or name in names:
            marks = [pytest.mark.requirement(PROMISE[server.kind])]
            chosen.append(pytest.param(server, id=name, marks=marks))
    return chosen


SERVERS = {
    **{f"gunicorn-{kind}": server for kind, server in {**GUNICORN, **GREEN}.items()},
    **OTHERS,
}
NEVER_REPLACED = ("waitress", "granian", "gunicorn-eventlet")
ASYNC_ABLE = [name for name in SERVERS if name not in ("gunicorn-gevent", "gunicorn-eventlet")]


def plan_of(server: Server, ref: str = "hello:app", **app: object) -> Plan:
    server = replace(server, graceful_timeout=GRACE, reason="")
    return Plan(app=App(name="hello", ref=ref, **app), server=server)  # type: ignore[arg-type]


def bin_of(plan: Plan) -> Path:
    """The environment for this plan: one for all, but for eventlet, which needs another Gunicorn."""
    if plan.server.worker_class == "eventlet":
        return environment(["flask[async]", "psycopg2-binary", *requirements(plan, None)])
    wanted = {"flask[async]", "psycopg2-binary"}
    for server in SERVERS.values():
        if server.worker_class != "eventlet":
            wanted |= set(requirements(Plan(server=server), None))
    return environment(sorted(wanted))


# ---- under load ----


def mixed_load(served: Served) -> list[Tally]:
    """Half of the connections compute, the rest waits or reads the database."""
    half, quarter = CONNECTIONS // 2, CONNECTIONS // 4
    loads = [
        Load(served.port, "/", half, SECONDS, expect=b"world"),
        Load(served.port, "/wait", quarter, SECONDS, expect=b"after a while"),
        Load(served.port, "/db", quarter, SECONDS, expect=b"from the database"),
    ]

    async def all_at_once() -> list[Tally]:
        return await asyncio.gather(*(run_async(load) for load in loads))

    return asyncio.run(all_at_once())


@pytest.mark.parametrize("server", variants())
def test_no_request_fails_under_load(server: Server, tmp_path: Path) -> None:
    """64 connections for 10 s: every request is answered, none by an error, a reset or another's body."""
    plan = plan_of(server)
    with serving(plan, bin_of(plan), tmp_path) as served:
        tallies = mixed_load(served)
        assert [(tally.faults, tally.examples) for tally in tallies] == [(0, [])] * 3, served.log_text()[-3000:]
        assert all(tally.ok > SECONDS for tally in tallies)
        assert len(served.tree()) >= served.launched.workers


@pytest.mark.parametrize("server", variants(*ASYNC_ABLE))
def test_the_async_path_answers_every_request(server: Server, tmp_path: Path) -> None:
    """Coroutine views under load: not one 500, where asgiref's adapter gives 42 %."""
    plan = plan_of(server, "coroutines:app", async_views=True)
    with serving(plan, bin_of(plan), tmp_path) as served:
        tally = run(Load(served.port, "/async", CONNECTIONS, SECONDS / 3, expect=b"from a coroutine"))
        assert (tally.faults, tally.examples) == (0, []), served.log_text()[-3000:]
        assert tally.ok > CONNECTIONS


ASGI_SERVERS = ["gunicorn-uvicorn", "gunicorn-asgi", "uvicorn", "granian"]


@pytest.mark.parametrize("server", variants(*ASGI_SERVERS))
def test_an_asgi_app_is_served_with_its_lifespan(server: Server, tmp_path: Path) -> None:
    """An app that speaks ASGI itself is started by its lifespan, and answers every request under load."""
    plan = plan_of(server, "bare_asgi:app", interface="asgi")
    with serving(plan, bin_of(plan), tmp_path) as served:
        tally = run(Load(served.port, "/", CONNECTIONS, SECONDS / 3, expect=b"from a coroutine"))
        assert (tally.faults, tally.examples) == (0, []), served.log_text()[-3000:]
        stop_with_slow_requests(served, 16)


@pytest.mark.parametrize("server", variants(*(name for name in SERVERS if name not in NEVER_REPLACED)))
def test_workers_are_replaced_without_a_failed_request(server: Server, tmp_path: Path) -> None:
    """With max_requests, workers end and come again under load, and nobody notices."""
    plan = plan_of(replace(server, max_requests=150, max_requests_jitter=50))
    with serving(plan, bin_of(plan), tmp_path) as served:
        before = {process.pid for process in served.tree()}
        # uWSGI lets every worker live for 10 seconds.
        tally = run(Load(served.port, "/", 16, 12 if server.kind == "uwsgi" else 3, expect=b"world"))
        assert (tally.faults, tally.examples) == (0, []), served.log_text()[-3000:]
        wait_until(lambda: {process.pid for process in served.tree()} - before, 10, served)


# ---- at a stop ----


def stop_with_slow_requests(served: Served, count: int) -> None:
    """SIGTERM while `count` slow views run: all are answered in full, and nothing is left in time."""
    tree = served.tree()
    with ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(served.get, f"/slow/{number}") for number in range(count)]
        wait_until(lambda: served.began() == count, 10, served)
        served.process.send_signal(getattr(signal, served.launched.stop_signal))
        asked = time.monotonic()
        for number, answer in enumerate(answers):
            status, body = answer.result(timeout=GRACE + 5)
            assert status == 200, served.log_text()[-3000:]
            assert json.loads(body)["hello"] == str(number)
            assert len(body) > 400_000
        served.process.wait(GRACE + 5)
    assert time.monotonic() - asked < GRACE, "it ended by force, not because all was answered"
    assert served.process.returncode == 0, served.log_text()[-3000:]
    _, alive = psutil.wait_procs(tree, timeout=3)
    assert alive == []
    assert not listens(served.port)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("server", variants())
def test_a_stop_loses_no_running_request(server: Server, tmp_path: Path) -> None:
    """SIGTERM with slow requests in flight: each is answered completely, and the whole tree is gone in time."""
    plan = plan_of(replace(server, workers=8) if server.worker_class == "sync" else server)
    with serving(plan, bin_of(plan), tmp_path) as served:
        stop_with_slow_requests(served, 8)


@pytest.mark.parametrize("server", variants())
def test_a_stop_under_load_ends_in_time_without_an_error(server: Server, tmp_path: Path) -> None:
    """SIGTERM under busy kept-alive connections: no error, no half response, and the end comes within the deadline."""
    plan = plan_of(server)
    with serving(plan, bin_of(plan), tmp_path) as served:
        tree = served.tree()
        gone = served.process.poll

        async def stop_in_the_middle() -> tuple[Tally, float]:
            load = Load(served.port, "/wait", 16, 60, expect=b"after", stop_when=lambda: gone() is not None)
            running = asyncio.create_task(run_async(load))
            await asyncio.sleep(1)
            served.process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            tally = await running
            return tally, time.monotonic() - asked

        tally, took = asyncio.run(stop_in_the_middle())
        assert tally.ok > 16
        assert (tally.failed, tally.wrong) == (0, 0), tally.examples
        assert took < GRACE + 5
        assert psutil.wait_procs(tree, timeout=3)[1] == []


# ---- what it believes ----

SPOOFED = {
    "X-Forwarded-For": "203.0.113.9",
    "X_Forwarded_For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "444",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
    "Script_Name": "/evil",
    "Script-Name": "/evil",
    "Path_Info": "/evil",
    "Remote_Addr": "203.0.113.9",
}


@pytest.mark.requirement("P5")
@pytest.mark.parametrize("server", variants())
def test_a_client_is_not_believed(server: Server, tmp_path: Path) -> None:
    """Whatever a client says of itself, the app sees the connection's own address, scheme, host and path."""
    plan = plan_of(server)
    with serving(plan, bin_of(plan), tmp_path) as served:
        status, body = served.get("/who", SPOOFED)
        seen = json.loads(body)
        wanted = {
            "client": "127.0.0.1",
            "scheme": "http",
            "host": f"127.0.0.1:{served.port}",
            "root": "",
            "path": "/who",
        }
        assert status == 200
        assert {name: seen[name] for name in wanted} == wanted
        assert list(served.home.iterdir()) == [], "a server opened a file in the home folder"
        assert_access_line(served)


def assert_access_line(served: Served) -> None:
    """One line for the request, in the form that is the same under every server."""
    wait_until(lambda: " GET /who 200 " in served.log_text(), 5, served)
    lines = [line for line in served.log_text().splitlines() if "/who" in line]
    assert len(lines) == 1, lines
    moment, client, method, path, status, size, took, request = lines[0].split(" ")
    assert (client, method, path, status) == ("127.0.0.1", "GET", "/who", "200")
    assert moment.endswith("Z")
    assert size.isdigit()
    assert took.endswith("ms")
    assert len(request) == 32


@pytest.mark.requirement("P5")
@pytest.mark.parametrize("server", variants("gunicorn-gthread", "uwsgi", "waitress", "uvicorn", "granian"))
def test_the_trusted_proxy_is_believed(server: Server, tmp_path: Path) -> None:
    """With one proxy in front, what that proxy says of the client is what the app sees."""
    plan = plan_of(server)
    plan = replace(plan, proxy=replace(plan.proxy, trusted=1))
    with serving(plan, bin_of(plan), tmp_path) as served:
        said = {
            "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example",
        }
        seen = json.loads(served.get("/who", said)[1])
        assert (seen["client"], seen["scheme"], seen["host"]) == ("203.0.113.9", "https", "shop.example")


@pytest.mark.requirement("P5")
@pytest.mark.parametrize("server", variants("gunicorn-gthread", "gunicorn-asgi", *OTHERS))
def test_a_client_behind_a_unix_socket_is_not_believed(server: Server, tmp_path: Path) -> None:
    """A socket file has no address that could be checked, and is no reason to believe whoever writes to it."""
    plan = plan_of(server)
    with serving(plan, bin_of(plan), tmp_path, unix=True) as served:
        seen = json.loads(served.get("/who", SPOOFED)[1])
        assert (seen["scheme"], seen["root"], seen["path"]) == ("http", "", "/who")
        assert "203.0.113.9" not in str(seen["client"])
        assert "evil" not in seen["host"]


# ---- what meets them in the app ----


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("server", variants("gunicorn-gthread", "gunicorn-gevent", "gunicorn-eventlet"))
@pytest.mark.parametrize("preload", [False, True])
def test_psycopg2_waits_the_green_way(server: Server, preload: bool, tmp_path: Path) -> None:
    """psycogreen's callback is in place in green workers, whenever the app was imported, and nowhere else."""
    green = server.worker_class in ("gevent", "eventlet")
    plan = plan_of(replace(server, preload=preload))
    with serving(plan, bin_of(plan), tmp_path) as served:
        seen = json.loads(served.get("/psycopg2")[1])
        assert seen["waits"].startswith("psycogreen") == green
        assert seen["patched"] == green


@pytest.mark.requirement("S2")
def test_uwsgis_stats_are_private(tmp_path: Path) -> None:
    """The stats socket answers with the workers' numbers, to this user only."""
    plan = plan_of(SERVERS["uwsgi"])
    with serving(plan, bin_of(plan), tmp_path) as served:
        path = tmp_path / f"run/uwsgi-stats-{served.port}.sock"
        assert path.stat().st_mode & 0o022 == 0
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            told = b"".join(iter(lambda: client.recv(65536), b""))
        assert len(json.loads(told)["workers"]) == served.launched.workers


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("server", variants("gunicorn-gthread", "uwsgi"))
def test_the_umask_is_the_plans(server: Server, tmp_path: Path) -> None:
    """Files that the app makes are not for everybody."""
    plan = plan_of(replace(server, umask="027"))
    with serving(plan, bin_of(plan), tmp_path) as served:
        assert json.loads(served.get("/who")[1])["umask"] == "027"


@pytest.mark.long
@pytest.mark.requirement("D4")
@pytest.mark.parametrize("version", ["3.8", "3.9", "3.13"])
@pytest.mark.parametrize("server", variants())
def test_other_pythons_are_served_as_well(server: Server, version: str, tmp_path: Path) -> None:
    """In the versions that exist for an aged Python, each server answers under load and stops without a loss."""
    installed = find_interpreters(os.environ["PATH"], Path.home())
    python = next((one for one in installed if one.short == version), None)
    if python is None:
        pytest.skip(f"missing here: Python {version}")
    plan = plan_of(replace(server, workers=3), python=version)
    try:
        needed = ["flask", *requirements(plan, version, {"flask"})]
    except UsageFault:
        return
    with serving(plan, environment(needed, python.path), tmp_path) as served:
        tally = run(Load(served.port, "/wait", 16, 2, expect=b"after"))
        assert (tally.faults, tally.examples) == (0, []), served.log_text()[-3000:]
        stop_with_slow_requests(served, 3)


# ---- what they say themselves of their files ----


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("server", variants(*(name for name in SERVERS if name.startswith("gunicorn"))))
def test_gunicorn_takes_its_file(server: Server, tmp_path: Path) -> None:
    """`gunicorn --check-config` accepts the file, preloaded or not, and knows every setting in it."""
    for preload in (False, True):
        plan = plan_of(replace(server, preload=preload, max_requests=1000, max_requests_jitter=50))
        paths = Paths(str(bin_of(plan)), str(tmp_path), str(tmp_path), str(tmp_path))
        made = launch(plan, HOST, Listen(socket=str(tmp_path / "app.sock")), paths)
        (tmp_path / made.artifacts[0].path).write_text(made.artifacts[0].text, encoding="utf-8")
        words = [made.argv[0], "--check-config", "--print-config", "--config", made.argv[2], "json:dumps"]
        environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environ)
        assert done.returncode == 0, done.stderr
        shown = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        known = {name.strip() for name in shown}
        written = {
            line.split(" = ")[0] for line in made.artifacts[0].text.splitlines() if " = " in line and line[0].isalpha()
        }
        later = {"control_socket_disable"}  # unknown to the Gunicorn that eventlet needs, if that is an old one
        assert written - known - later == set()
        assert "max_requests" in known
