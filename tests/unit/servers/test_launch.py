"""What is started, and the files it is started with."""

import ast
import configparser
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carboy.model.host import Host
from carboy.model.launch import Launch, Listen, Paths
from carboy.model.plan import App, Plan, Server
from carboy.servers.base import SERVERS, launch

GOLDENS = Path(__file__).parents[2] / "goldens/servers"
HOST = Host(cpus=2, memory=8 * 1024**3)
PATHS = Paths("/srv/shop/env/bin", "/srv/shop/artifacts", "/srv/shop/source", "/srv/shop/run")
APP = App(name="shop", ref="shop:create_app('production')")


def recycled(server: Server) -> Server:
    return replace(server, max_requests=1000, max_requests_jitter=100)


VARIANTS = {
    **{f"gunicorn-{kind}": Server(worker_class=kind) for kind in ("sync", "gthread", "gevent", "eventlet")},
    **{f"gunicorn-{kind}": Server(worker_class=kind) for kind in ("uvicorn", "asgi")},
    "gunicorn-gevent-preloaded": recycled(Server(worker_class="gevent", preload=True)),
    "uwsgi": Server(kind="uwsgi"),
    "uwsgi-recycled": recycled(Server(kind="uwsgi", preload=True)),
    "waitress": Server(kind="waitress"),
    "uvicorn": Server(kind="uvicorn"),
    "uvicorn-recycled": recycled(Server(kind="uvicorn")),
    "granian": Server(kind="granian"),
}
PROMISE = {"gunicorn": "S1", "uwsgi": "S2", "waitress": "S3", "uvicorn": "S4", "granian": "S6"}


def launched(server: Server, listen: Listen | None = None, **app: object) -> Launch:
    plan = Plan(app=replace(APP, **app), server=server)  # type: ignore[arg-type]
    return launch(plan, HOST, listen or Listen(), PATHS)


def as_text(made: Launch) -> Iterator[tuple[str, str]]:
    """The files of a launch, the command and its variables being the first."""
    words = [" ".join(made.argv), *(f"{name}={value}" for name, value in sorted(made.variables.items()))]
    words += [f"workers: {made.workers}", *(f"note: {note}" for note in made.notes)]
    yield "launch.txt", "\n".join([*words, *(f"needs: {needed}" for needed in made.requirements)]) + "\n"
    for artifact in made.artifacts:
        yield artifact.path, artifact.text


@pytest.mark.parametrize(
    ("name", "server"),
    [
        pytest.param(name, server, id=name, marks=pytest.mark.requirement(PROMISE[server.kind]))
        for name, server in VARIANTS.items()
    ],
)
def test_the_golden_files(name: str, server: Server) -> None:
    """Byte for byte what a person has read; CARBOY_GOLDENS=write writes them anew, to be read again."""
    for path, text in as_text(launched(server)):
        golden = GOLDENS / name / path
        if os.environ.get("CARBOY_GOLDENS") == "write":
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        assert golden.read_text(encoding="utf-8") == text


@pytest.mark.requirement("S1")
def test_the_same_plan_gives_the_same_bytes_in_another_process() -> None:
    """Nothing of the machine, the moment or the hash seed is in what is rendered."""
    code = (
        "from tests.unit.servers.test_launch import *\n"
        "print([list(as_text(launched(server))) for server in VARIANTS.values()])"
    )
    seen = set()
    for seed in ("0", "1"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Shanghai", "WEB_CONCURRENCY": "77"}
        root = Path(__file__).parents[3]
        done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environ, capture_output=True, check=True)
        seen.add(done.stdout)
    assert len(seen) == 1


@pytest.mark.requirement("S1")
def test_only_the_chosen_server_is_imported() -> None:
    """A server's module is loaded on demand."""
    code = (
        "import sys; from tests.unit.servers.test_launch import *; launched(VARIANTS['granian']);"
        "print(sorted(name for name in sys.modules if name in SERVERS.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['carboy.servers.granian']"


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("name", [name for name in VARIANTS if name.startswith("gunicorn")])
def test_gunicorns_file_says_what_the_plan_says(name: str) -> None:
    """Parsed back, every value of the file is the plan's, and each line has its reason above it."""
    odd = replace(
        VARIANTS[name], timeout=61, graceful_timeout=31, keepalive=6, backlog=1234, limit_request_line=4000,
        limit_request_fields=90, limit_request_field_size=8000, umask="077", max_requests=7, max_requests_jitter=3,
    )  # fmt: skip
    text = launched(odd).artifacts[0].text
    values = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # an expression that is worked out on the host
    wanted = {"timeout": 61, "graceful_timeout": 31, "keepalive": 6, "backlog": 1234, "umask": 0o077}
    wanted |= {"limit_request_line": 4000, "limit_request_fields": 90, "limit_request_field_size": 8000}
    wanted |= {"max_requests": 0} if odd.worker_class == "eventlet" else {"max_requests": 7, "max_requests_jitter": 3}
    assert {key: values[key] for key in wanted} == wanted
    lines = text.splitlines()
    settings = [number for number, line in enumerate(lines) if " = " in line and line[0].isalpha()]
    assert all(lines[number - 1].startswith("# ") for number in settings)


@pytest.mark.requirement("S1")
@pytest.mark.parametrize(
    ("listen", "wanted"),
    [
        (Listen("0.0.0.0", 80), "0.0.0.0:80"),
        (Listen("::1", 8000), "[::1]:8000"),
        (Listen(socket="/run/shop/it's.sock"), "unix:/run/shop/it's.sock"),
    ],
)
def test_addresses_come_back_as_they_went_in(listen: Listen, wanted: str) -> None:
    """IPv6 is bracketed, and a quote in a path does not end the string."""
    scope: dict[str, object] = {}
    exec(launched(VARIANTS["gunicorn-gthread"], listen).artifacts[0].text, scope)
    assert scope["bind"] == (wanted,)


@pytest.mark.requirement("S2")
def test_uwsgis_ini_comes_back_as_it_went_in() -> None:
    """A percent sign in a path is not taken for a variable, and every line has its reason above it."""
    text = launched(VARIANTS["uwsgi"], Listen(socket="/run/50%/app.sock")).artifacts[0].text
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)
    assert parsed["uwsgi"]["http-socket"] == "/run/50%%/app.sock"
    assert parsed["uwsgi"]["hook-master-start"] == "unix_signal:15 gracefully_kill_them_all"
    lines = text.splitlines()
    assert all(
        lines[number - 1].startswith("; ") for number, line in enumerate(lines) if " = " in line and line[0] != ";"
    )
    with pytest.raises(ValueError, match="cannot hold"):
        launched(VARIANTS["uwsgi"], Listen(socket="/run/a\nuid = 0"))


@pytest.mark.requirement("S2")
def test_a_path_too_long_for_a_socket_costs_the_stats_only() -> None:
    """uWSGI would not start with it, so the stats socket is left out and that is said."""
    plan = Plan(app=APP, server=VARIANTS["uwsgi"])
    made = launch(plan, HOST, Listen(), replace(PATHS, run="/" + "x" * 120))
    assert "\nstats = " not in made.artifacts[0].text
    assert any("stats" in note for note in made.notes)


@pytest.mark.requirement("S6")
def test_granian_speaks_what_the_app_speaks() -> None:
    """WSGI to a WSGI app, ASGI to an ASGI app; and its file is JSON that sends its words to stderr."""
    assert launched(VARIANTS["granian"]).argv[-1] == "flask_carboy.serve:application"
    made = launched(VARIANTS["granian"], interface="asgi")
    assert made.argv[-1] == "flask_carboy.serve:asgi"
    assert made.argv[made.argv.index("--interface") + 1] == "asgi"
    content = json.loads(made.artifacts[0].text)
    assert content["handlers"]["console"]["stream"] == "ext://sys.stderr"


@pytest.mark.requirement("S4")
def test_aged_pythons_get_no_option_that_their_server_lacks() -> None:
    """Uvicorn 0.33, the last for Python 3.8, knows fewer options."""
    uvicorn = launched(replace(VARIANTS["uvicorn-recycled"], workers=2), python="3.8").argv
    assert not {"--timeout-worker-healthcheck", "--limit-max-requests-jitter"} & set(uvicorn)


@pytest.mark.requirement("S4")
def test_uvicorn_alone_is_not_told_to_end() -> None:
    """With one worker nobody would start it again after max_requests, so that is left out and said."""
    made = launched(replace(VARIANTS["uvicorn-recycled"], workers=1))
    assert "--limit-max-requests" not in made.argv
    assert any("max_requests" in note for note in made.notes)


@pytest.mark.requirement("S1")
def test_eventlet_is_pinned_and_not_replaced_and_says_so() -> None:
    """The pin of Gunicorn and the limit that is left out are told to people."""
    notes = " ".join(launched(recycled(VARIANTS["gunicorn-eventlet"])).notes)
    assert "below 26" in notes
    assert "max_requests" in notes


@pytest.mark.requirement("S1")
def test_every_server_believes_nobody() -> None:
    """Proxy headers are the wrapper's business alone."""
    for name, server in VARIANTS.items():
        made = launched(server)
        text = " ".join(made.argv) + "".join(artifact.text for artifact in made.artifacts)
        assert "forwarded_allow_ips = '*'" not in text
        if server.kind == "gunicorn":
            assert "forwarded_allow_ips = ''" in text, name
            assert "secure_scheme_headers = {}" in text, name


@pytest.mark.requirement("S1")
def test_the_table_has_every_kind_of_the_plan() -> None:
    """A kind that the plan allows can be started."""
    assert {server.kind for server in VARIANTS.values()} == set(SERVERS)
