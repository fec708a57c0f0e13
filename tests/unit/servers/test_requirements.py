"""What must be installed beside the app."""

import pytest
from packaging.requirements import Requirement

from carboy.errors import UsageFault
from carboy.model.plan import Plan, Server
from carboy.servers.base import SERVERS, requirements

GUNICORN = [
    ("sync", "3.12", ("gunicorn>=25.3",)),
    ("gthread", None, ("gunicorn>=25.3",)),
    ("gthread", "3.8", ("gunicorn>=23",)),
    ("gthread", "3.9.18", ("gunicorn>=23",)),
    ("gevent", "3.12", ("gunicorn[gevent]>=25.3", "gevent>=24.10.1", "psycogreen>=1.0.2")),
    ("gevent", "3.8", ("gunicorn[gevent]>=23", "gevent>=24.2.1", "psycogreen>=1.0.2")),
    ("eventlet", "3.12", ("gunicorn>=25.3,<26", "eventlet>=0.36.1", "psycogreen>=1.0.2")),
    ("uvicorn", "3.12", ("gunicorn>=25.3", "uvicorn-worker>=0.4", "uvicorn>=0.41")),
    ("uvicorn", "3.8", ("gunicorn>=23", "uvicorn-worker>=0.2", "uvicorn>=0.33")),
    ("asgi", "3.12", ("gunicorn>=25.3",)),
]
OTHERS = [
    ("uwsgi", "3.12", ("pyuwsgi>=2.0.30",)),
    ("waitress", "3.8", ("waitress>=3.0",)),
    ("waitress", "3.12", ("waitress>=3.0.2",)),
    ("uvicorn", "3.9", ("uvicorn>=0.39",)),
    ("granian", "3.9", ("granian>=2.5",)),
    ("granian", "3.14", ("granian>=2.5",)),
]

REFUSED = {("granian", "3.8"), ("gunicorn", "asgi", "3.8"), ("gunicorn", "asgi", "3.9")}


@pytest.mark.requirement("S1")
@pytest.mark.parametrize(("worker_class", "python", "wanted"), GUNICORN)
def test_gunicorn_comes_in_a_version_with_the_worker(
    worker_class: str, python: str | None, wanted: tuple[str, ...]
) -> None:
    """Each worker class brings what it needs, in versions that exist for that Python."""
    plan = Plan(server=Server(worker_class=worker_class))  # type: ignore[arg-type]
    assert requirements(plan, python) == wanted


@pytest.mark.requirement("S6")
@pytest.mark.parametrize(("kind", "python", "wanted"), OTHERS)
def test_other_servers_for_each_python(kind: str, python: str, wanted: tuple[str, ...]) -> None:
    """An aged Python gets the last line that still installs on it."""
    assert requirements(Plan(server=Server(kind=kind)), python) == wanted  # type: ignore[arg-type]


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("worker_class", ["gevent", "eventlet"])
def test_psycogreen_comes_where_psycopg2_is(worker_class: str) -> None:
    """Green workers get psycogreen with psycopg2 or where the app's packages are not known, and else not."""
    plan = Plan(server=Server(worker_class=worker_class))  # type: ignore[arg-type]
    for installed in ({"flask", "psycopg2"}, {"psycopg2-binary"}):
        assert "psycogreen>=1.0.2" in requirements(plan, "3.12", installed)
    assert "psycogreen>=1.0.2" not in requirements(plan, "3.12", {"flask", "psycopg"})


@pytest.mark.requirement("S1")
def test_every_requirement_is_one() -> None:
    """All of them parse, for every server, worker class and Python."""
    for kind in SERVERS:
        for worker_class in ("sync", "gthread", "gevent", "eventlet", "uvicorn", "asgi"):
            for python in (None, "3.8", "3.9", "3.10", "3.13", "nonsense"):
                plan = Plan(server=Server(kind=kind, worker_class=worker_class))
                if (kind, python) in REFUSED or (kind, worker_class, python) in REFUSED:
                    continue
                assert all(Requirement(text).name for text in requirements(plan, python))


@pytest.mark.requirement("S6")
@pytest.mark.parametrize(("kind", "worker_class", "python"), [("granian", "sync", "3.8"), ("gunicorn", "asgi", "3.9")])
def test_no_environment_is_made_for_what_is_refused(kind: str, worker_class: str, python: str) -> None:
    """The reason comes from us, before a resolver says it in its own words."""
    plan = Plan(server=Server(kind=kind, worker_class=worker_class))  # type: ignore[arg-type]
    with pytest.raises(UsageFault):
        requirements(plan, python)
