"""Every manager's files, read without its program."""

import json
from pathlib import Path
from typing import Any

import pytest

from carboy.errors import Failed
from carboy.model.plan import App
from carboy.release.dependency_sources import read_wanted
from carboy.release.poetry_words import specifier
from carboy.release.requirement_files import Wanted

pytestmark = pytest.mark.requirement("D1")


def wanted(folder: Path, manager: Any, source: str, **files: str) -> Wanted:
    """What is wanted by these files; `__` stands for a dot in a name."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return read_wanted(folder, App(source=source, manager=manager))


POETRY = """
[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.9"
flask = {version = "^2.2", extras = ["async"]}
ldap3 = {version = "*", optional = true}
pywin32 = {version = ">=300", platform = "win32"}
tool = {git = "https://host/tool.git", rev = "abc"}
"""


def test_poetry_with_its_lock_is_pinned(tmp_path: Path) -> None:
    """Direct dependencies without ranges, everything in the lock as a constraint, development left out."""
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\ncategory = "{category}"\n'
        for name, version, category in (("Flask", "2.2.5", "main"), ("pywin32", "306", "main"), ("pytest", "7", "dev"))
    )
    found = wanted(tmp_path, "poetry", "poetry.lock", pyproject__toml=POETRY, poetry__lock=lock)
    assert found.lines == [
        "flask[async]",
        "pywin32 ; sys_platform == 'win32'",
        "tool @ git+https://host/tool.git@abc",
    ]
    assert found.constraints == ["Flask==2.2.5", "pywin32==306"]


def test_poetry_without_a_lock_uses_its_ranges_and_says_so(tmp_path: Path) -> None:
    """Carets and tildes are translated."""
    found = wanted(tmp_path, "poetry", "pyproject.toml", pyproject__toml=POETRY)
    assert found.lines[0] == "flask[async]>=2.2,<3"
    assert "there is no poetry.lock" in found.notes[0]


@pytest.mark.parametrize(
    ("poetry", "said"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^1", ">=1,<2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.4", "~=1.4"),
        ("1.2.3", "==1.2.3"),
        ("1.2.*", "==1.2.*"),
        ("*", ""),
        (">=1.2, <2.0", ">=1.2,<2.0"),
        (">=1.2 <2.0", ">=1.2,<2.0"),
        ("^1.0 || ^2.0", ""),
        ("", ""),
    ],
)
def test_poetrys_ranges_are_translated(poetry: str, said: str) -> None:
    """Each notation means the same in the words of every installer."""
    assert specifier(poetry) == said


def test_two_locked_versions_of_one_package_go_by_their_markers(tmp_path: Path) -> None:
    """A lock for several machines pins each version where it belongs."""
    lock = (
        '[[package]]\nname = "numpy"\nversion = "1.26"\nmarkers = "python_version < \'3.12\'"\n'
        '[[package]]\nname = "numpy"\nversion = "2.0"\nmarkers = "python_version >= \'3.12\'"\n'
    )
    project = '[tool.poetry.dependencies]\nnumpy = "*"\n'
    found = wanted(tmp_path, "poetry", "poetry.lock", pyproject__toml=project, poetry__lock=lock)
    assert found.constraints == ["numpy==1.26 ; python_version < '3.12'", "numpy==2.0 ; python_version >= '3.12'"]


def test_pdm_takes_the_default_group(tmp_path: Path) -> None:
    """The project's own dependencies, pinned by the lock, without the other groups."""
    lock = (
        '[[package]]\nname = "flask"\nversion = "3.0.0"\ngroups = ["default"]\n'
        '[[package]]\nname = "pytest"\nversion = "8"\ngroups = ["dev"]\n'
    )
    project = '[project]\nname = "shop"\ndependencies = ["flask>=2"]\n'
    found = wanted(tmp_path, "pdm", "pdm.lock", pyproject__toml=project, pdm__lock=lock)
    assert (found.lines, found.constraints) == (["flask>=2"], ["flask==3.0.0"])


def test_pipenv_takes_the_pins_of_its_lock(tmp_path: Path) -> None:
    """Markers, extras, git references and a private index are kept; development is left out."""
    lock = {
        "_meta": {"sources": [{"url": "https://pypi.org/simple"}, {"url": "https://host/simple"}]},
        "default": {
            "flask": {"version": "==2.2.5", "extras": ["async"], "hashes": ["sha256:0"]},
            "pywin32": {"version": "==306", "markers": "sys_platform == 'win32'"},
            "tool": {"git": "https://host/tool.git", "ref": "abc"},
        },
        "develop": {"pytest": {"version": "==7"}},
    }
    found = wanted(tmp_path, "pipenv", "Pipfile.lock", Pipfile__lock=json.dumps(lock))
    assert found.lines == [
        "--extra-index-url https://host/simple",
        "flask[async]==2.2.5",
        "pywin32==306 ; (sys_platform == 'win32')",
        "tool @ git+https://host/tool.git@abc",
    ]


def test_a_broken_lock_is_named(tmp_path: Path) -> None:
    """A lock that cannot be read stops with its name and the next step."""
    with pytest.raises(Failed) as caught:
        wanted(tmp_path, "pipenv", "Pipfile.lock", Pipfile__lock="<<<<<<< HEAD\n")
    assert caught.value.where == "Pipfile.lock"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject__toml": '[project]\nname = "shop"\ndependencies = ["flask<3"]\n'}, ["flask<3"]),
        (
            {"setup__cfg": "[metadata]\nname = shop\n[options]\ninstall_requires =\n  flask<3\n  click\n"},
            ["flask<3", "click"],
        ),
        (
            {"setup__py": "from setuptools import setup\nsetup(name='shop', install_requires=['flask<3'])\n"},
            ["flask<3"],
        ),
        (
            {"setup__py": "from setuptools import setup\nREQS = ['flask<3']\nsetup(install_requires=REQS)\n"},
            ["flask<3"],
        ),
        (
            {
                "pyproject__toml": '[project]\nname = "shop"\ndynamic = ["dependencies"]\n'
                '[tool.setuptools.dynamic]\ndependencies = {file = ["reqs.txt"]}\n',
                "reqs__txt": "flask<3\n",
            },
            ["flask<3"],
        ),
    ],
    ids=["pyproject", "setup.cfg", "setup.py", "setup.py with a name", "dynamic"],
)
def test_a_project_says_its_dependencies_without_being_built(
    tmp_path: Path, files: dict[str, str], expected: list[str]
) -> None:
    """What is written plainly is read plainly."""
    source = next(iter(files)).replace("__", ".")
    assert wanted(tmp_path, "setuptools", source, **files).lines == expected


def test_a_setup_that_computes_its_requirements_is_asked_for_its_metadata(tmp_path: Path) -> None:
    """Only then must setup.py be run."""
    text = "from setuptools import setup\nsetup(install_requires=open('reqs').read().split())\n"
    found = wanted(tmp_path, "setuptools", "setup.py", setup__py=text)
    assert found.metadata == tmp_path / "setup.py"


def test_a_project_that_looks_itself_up_is_installed(tmp_path: Path) -> None:
    """`version("shop")` needs the project's metadata; a look-up of another package does not."""
    project = '[project]\nname = "my-shop"\ndependencies = ["flask"]\n'
    found = wanted(
        tmp_path,
        "setuptools",
        "pyproject.toml",
        pyproject__toml=project,
        app__py="from importlib.metadata import version\nversion('flask')\n",
    )
    assert found.project is None
    found = wanted(
        tmp_path,
        "setuptools",
        "pyproject.toml",
        app__py="from importlib.metadata import version\nversion('my_shop')\n",
    )
    assert (found.project, found.project_name) == (tmp_path, "my-shop")


def test_conda_is_translated(tmp_path: Path) -> None:
    """Names are mapped, series and builds understood, Python and system libraries left out, pip's part kept."""
    text = (
        "name: shop\nchannels:\n  - defaults\ndependencies:\n  - python=3.10\n  - flask=2.2.2=py310_0\n"
        "  - conda-forge::pytorch>=2\n  - werkzeug=2.2\n  - libffi=3\n  - pip:\n    - click==8.0\n    - jinja2\n"
        "  - redis-py\nprefix: /home\n"
    )
    found = wanted(tmp_path, "conda", "environment.yml", environment__yml=text)
    assert found.lines == ["flask==2.2.2", "torch>=2", "werkzeug==2.2.*", "redis", "click==8.0", "jinja2"]
    assert any("libffi=3" in note for note in found.notes)


def test_uv_leaves_its_lock_to_uv(tmp_path: Path) -> None:
    """uv.lock is exported by uv itself, frozen."""
    found = wanted(tmp_path, "uv", "uv.lock", uv__lock="version = 1\n", pyproject__toml="[project]\nname = 'shop'\n")
    assert found.export == tmp_path / "uv.lock"


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The plan may name a file that was removed."""
    with pytest.raises(Failed) as caught:
        read_wanted(tmp_path, App(source="requirements/prod.txt", manager="pip"))
    assert caught.value.where == "requirements/prod.txt"


def test_no_source_wants_nothing(tmp_path: Path) -> None:
    """A project without a dependency file lives of `app.packages` alone."""
    assert read_wanted(tmp_path, App(packages=("flask",))) == Wanted()
