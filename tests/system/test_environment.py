"""Environments made for real: from every kind of source, reused, replaced, killed half-way, failing with a reason."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from carboy.errors import Failed
from carboy.model.command import Command, Completed
from carboy.model.plan import App
from carboy.release.environment import Environment, EnvironmentRequest, build_environment, prune_environments
from carboy.release.installing import InstallFailed
from carboy.remote.local import LocalConnector
from tests.system.environments import installed_pythons
from tests.system.hostile_cases import snapshot

pytestmark = [pytest.mark.system, pytest.mark.requirement("D1")]


class Counting:
    """A connector that passes everything on and counts."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []

    def run(self, command: Command, **more: Any) -> Completed:
        self.commands.append(command.argv)
        return LocalConnector().run(command, **more)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "project"


def build(
    folder: Path,
    files: dict[str, str],
    source: str | None = "requirements.txt",
    manager: Any = "pip",
    *,
    connector: Counting | None = None,
    plan: dict[str, Any] | None = None,
    **more: Any,
) -> Environment:
    app = App(source=source, manager=manager, **(plan or {}))
    request = EnvironmentRequest(source=write(folder, files), envs=folder / "envs", app=app, **more)
    return build_environment(request, connector or Counting())


def versions(environment: Environment) -> dict[str, str]:
    """The installed packages, told by the environment's own Python."""
    code = (
        "import json; from importlib.metadata import distributions as d;"
        "print(json.dumps({i.metadata['Name'].lower(): i.version for i in d()}))"
    )
    answer = subprocess.run([environment.python, "-I", "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def test_requirement_files_and_the_servers_own_packages(tmp_path: Path) -> None:
    """One resolution for both; programs work from where the environment came to lie; nothing half-made is left."""
    made = build(tmp_path, {"requirements.txt": "flask==3.0.3\nwerkzeug<3.1\n"}, server=("gunicorn>=23",))
    assert not made.reused
    assert versions(made)["flask"] == "3.0.3"
    assert [path.name for path in (tmp_path / "envs").iterdir()] == [made.key]
    answer = subprocess.run([made.bin / "gunicorn", "--version"], capture_output=True, text=True, check=True)
    assert "gunicorn" in answer.stdout
    prefix = subprocess.run([made.python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    assert prefix.stdout.strip() == str(made.path)


def test_the_same_is_reused_without_starting_a_process(tmp_path: Path) -> None:
    """The second time costs no process; another requirement, server, Python or bundled package makes a new one."""
    files = {"requirements.txt": "click\n", "bundle/extra/__init__.py": "x = 1\n"}
    first = build(tmp_path, files)
    counting = Counting()
    again = build(tmp_path, files, connector=counting)
    assert (again.reused, again.path, again.version, counting.commands) == (True, first.path, first.version, [])
    assert again.seconds < 1
    bundled = tmp_path / "project" / "bundle" / "extra"
    others = [
        build(tmp_path, {"requirements.txt": "click\n# another\n"}),
        build(tmp_path, files, server=("itsdangerous",)),
        build(tmp_path, files, plan={"packages": ("itsdangerous",)}),
        build(tmp_path, files, bundled=(bundled,)),
    ]
    assert len({first.key, *(other.key for other in others)}) == 5
    assert (others[3].path / "lib").exists() or sys.platform == "win32"
    code = "import extra; print(extra.__file__)"
    answer = subprocess.run([others[3].python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert str(others[3].path) in answer.stdout


def test_a_staging_folder_does_not_change_the_key(tmp_path: Path) -> None:
    """The same project in the folder of the next release finds the same environment."""
    files = {"requirements.txt": "click\n./lib\n", "lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n'}
    first = build(tmp_path, files)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    request = EnvironmentRequest(
        source=tmp_path / "elsewhere", envs=tmp_path / "envs", app=App(source="requirements.txt", manager="pip")
    )
    assert build_environment(request, Counting()).key == first.key


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    """A removed base Python leaves a link that leads nowhere."""
    files = {"requirements.txt": "click\n"}
    first = build(tmp_path, files)
    first.python.unlink()
    first.python.symlink_to("/nowhere/python")
    again = build(tmp_path, files)
    assert not again.reused
    assert versions(again)["click"]


def test_a_killed_build_leaves_nothing_that_is_used(tmp_path: Path) -> None:
    """Killed in the middle, the tool finds no environment next time and makes a whole one."""
    project = write(tmp_path, {"requirements.txt": "flask\nsqlalchemy\n"})
    code = f"""
from pathlib import Path
from carboy.model.plan import App
from carboy.release.environment import EnvironmentRequest, build_environment
from carboy.remote.local import LocalConnector
app = App(source="requirements.txt", manager="pip")
request = EnvironmentRequest(source=Path({str(project)!r}), envs=Path({str(tmp_path / "envs")!r}), app=app)
build_environment(request, LocalConnector(), lambda line: print(line, flush=True))
"""
    tool = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert tool.stdout is not None
    for line in tool.stdout:
        if line.startswith("installing"):
            break
    children = psutil.Process(tool.pid).children(recursive=True)
    os.kill(tool.pid, signal.SIGKILL)
    tool.wait()
    tool.stdout.close()
    for child in children:
        child.kill()
    psutil.wait_procs(children, timeout=5)
    made = build(tmp_path, {})
    assert not made.reused
    assert {"flask", "sqlalchemy"} <= versions(made).keys()
    assert [path.name for path in (tmp_path / "envs").iterdir()] == [made.key]


def test_environments_that_no_release_uses_are_removed(tmp_path: Path) -> None:
    """Only the keys that are named stay."""
    first = build(tmp_path, {"requirements.txt": "click\n"})
    second = build(tmp_path, {"requirements.txt": "itsdangerous\n"})
    assert prune_environments(tmp_path / "envs", frozenset({second.key})) == (first.key,)
    assert [path.name for path in (tmp_path / "envs").iterdir()] == [second.key]


def test_the_projects_pin_of_a_server_gives_way(tmp_path: Path) -> None:
    """A gunicorn that the project pinned below what the plan needs is replaced, and the note says so."""
    made = build(tmp_path, {"requirements.txt": "gunicorn==19.9.0\nclick==8.1.7\n"}, server=("gunicorn>=23", "click"))
    assert versions(made)["gunicorn"] > "23"
    assert versions(made)["click"] == "8.1.7"
    assert made.notes == ("gunicorn==19.9.0 of the project is replaced by gunicorn>=23",)


def test_a_package_is_taken_out_by_a_marker_that_is_never_true(tmp_path: Path) -> None:
    """`uwsgi; python_version < '0'` among the plan's packages keeps the project's uwsgi from being compiled."""
    plan = {"packages": ("uwsgi; python_version < '0'",)}
    made = build(tmp_path, {"requirements.txt": "uwsgi==2.0.18\nclick\n"}, plan=plan)
    assert versions(made).keys() == {"click"}


def test_versions_of_a_time_and_todays_server(tmp_path: Path) -> None:
    """--exclude-newer holds for the project's set, not for what Carboy needs."""
    plan = {"exclude_newer": "2023-01-15"}
    made = build(tmp_path, {"requirements.txt": "flask\n"}, plan=plan, server=("gunicorn>=23",))
    assert versions(made)["flask"] == "2.2.2"
    assert versions(made)["gunicorn"] > "23"


LOCKED = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["flask<3"]\n'


def test_uv_lock_is_exported_frozen(tmp_path: Path) -> None:
    """What uv locked is installed without the development group, and the lock is not touched."""
    project = write(tmp_path, {"pyproject.toml": LOCKED + '[dependency-groups]\ndev = ["pytest"]\n'})
    import uv

    subprocess.run([uv.find_uv_bin(), "lock", "-q"], cwd=project, check=True)
    before = snapshot(project)
    made = build(tmp_path, {}, "uv.lock", "uv", server=("gunicorn",))
    found = versions(made)
    assert found["flask"].startswith("2.")
    assert "pytest" not in found
    assert snapshot(project) == before


def test_a_poetry_lock_is_installed_without_poetry(tmp_path: Path) -> None:
    """Exactly the locked versions of what this machine needs."""
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\npython-versions = "*"\n\n'
        for name, version in (("flask", "2.3.2"), ("werkzeug", "2.3.6"), ("jinja2", "3.1.2"), ("pywin32", "306"))
    )
    project = '[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.8"\nflask = "^2.3"\n'
    project += 'pywin32 = {version = "*", markers = "sys_platform == \'win32\'"}\n'
    found = versions(build(tmp_path, {"pyproject.toml": project, "poetry.lock": lock}, "poetry.lock", "poetry"))
    assert (found["flask"], found["werkzeug"], found["jinja2"]) == ("2.3.2", "2.3.6", "3.1.2")
    assert "pywin32" not in found


def test_a_project_that_must_be_installed_leaves_no_trace_in_its_folder(tmp_path: Path) -> None:
    """It is built from a copy, without editable links, and its version may come from git's tags."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools", "setuptools_scm"]\n'
        'build-backend = "setuptools.build_meta"\n[project]\nname = "shop"\ndynamic = ["version"]\n'
        'dependencies = ["click"]\n[tool.setuptools_scm]\n',
        "src/shop/__init__.py": 'from importlib.metadata import version\n__version__ = version("shop")\n',
    }
    before = snapshot(write(tmp_path, files))
    made = build(tmp_path, files, "pyproject.toml", "setuptools")
    assert snapshot(tmp_path / "project") == before
    assert versions(made).keys() >= {"shop", "click"}


def test_a_project_that_cannot_be_built_is_served_all_the_same(tmp_path: Path) -> None:
    """Its dependencies are installed and a note says why it is not."""
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["click"]\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "nowhere"\n',
        "shop.py": 'from importlib.metadata import version\nversion("shop")\n',
    }
    made = build(tmp_path, files, "pyproject.toml", "setuptools")
    assert versions(made).keys() == {"click"}
    assert "the project itself could not be installed" in made.notes[0]


def test_the_wanted_python_is_used(tmp_path: Path) -> None:
    """An environment of an older Python is made where the plan says so."""
    others = sorted(installed_pythons() - {f"3.{sys.version_info.minor}"})
    if not others:
        pytest.skip("there is no second Python here")
    made = build(tmp_path, {"requirements.txt": ""}, plan={"python": others[0]})
    answer = subprocess.run([made.python, "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith(f"Python {others[0]}.")


def test_a_failure_names_package_reason_and_next_step(tmp_path: Path) -> None:
    """The error is one sentence with its place, and nothing is left in the folder of environments."""
    with pytest.raises(InstallFailed) as caught:
        build(tmp_path, {"requirements.txt": "flask==0.99\n"})
    fault = caught.value
    assert (fault.package, fault.where) == ("flask", "requirements.txt")
    assert "there is no version of flask==0.99" in fault.what
    assert "--fix-requirements" in fault.hint
    assert fault.output
    assert list((tmp_path / "envs").iterdir()) == []


def test_a_python_that_is_not_there_fails_before_anything_is_made(tmp_path: Path) -> None:
    """With `exactly`, no other Python will do."""
    with pytest.raises(Failed, match=r"Python 3\.99 is not installed"):
        build(tmp_path, {"requirements.txt": ""}, plan={"python": "3.99"}, exactly=True)
    assert not (tmp_path / "envs").exists()


def test_two_builds_at_once_share_one_environment(tmp_path: Path) -> None:
    """Whoever is second takes what the first one made."""
    from concurrent.futures import ThreadPoolExecutor

    write(tmp_path, {"requirements.txt": "click\n"})
    with ThreadPoolExecutor(2) as pool:
        started = time.monotonic()
        made = list(pool.map(lambda _: build(tmp_path, {}), range(2)))
        assert time.monotonic() - started < 120
    assert made[0].path == made[1].path
    assert [path.name for path in (tmp_path / "envs").iterdir()] == [made[0].key]
