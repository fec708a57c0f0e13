"""Declarations that are broken, odd or hostile."""

from pathlib import Path

import pytest

from carboy.inspection.dependencies import find_dependencies
from carboy.inspection.index import Index, build_index

pytestmark = pytest.mark.requirement("D1")


def index_of(tmp_path: Path, files: dict[str, str]) -> Index:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return build_index(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project\nname="),
        ("pyproject.toml", "project = 3\ntool = []\ndependency-groups = 'x'"),
        ("pyproject.toml", "[project]\ndependencies = 'flask'"),
        ("pyproject.toml", "[project]\ndependencies = [1, {a = 2}, '', '==1']"),
        ("pyproject.toml", "[tool.poetry]\ndependencies = ['flask']"),
        ("pyproject.toml", "[dependency-groups]\nprod = [{include-group = 'prod'}, 3]"),
        ("Pipfile", "[packages]\nflask = {version = 3, git = []}\n[packages"),
        ("Pipfile", "packages = 'flask'"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=open('nothing.txt').read())"),
        ("setup.py", "setup(install_requires=[1, None, *x, f'{y}'])"),
        ("setup.py", "def ("),
        ("setup.cfg", "[options]\ninstall_requires = %(x)s\n[options]\n"),
        ("setup.cfg", "no section\n"),
        ("environment.yml", "dependencies:\n  - \n  - pip:\n    -\n - {a: b}\n"),
        ("requirements.txt", "\0\0\0"),
        ("requirements/prod.txt", "-r\n-c\n-e\n--hash\n\\\n"),
    ],
)
def test_a_broken_declaration_is_passed_over(tmp_path: Path, name: str, text: str) -> None:
    """The imports answer where a declaration says nothing."""
    index = index_of(tmp_path, {name: text, "app.py": "import flask\napp = flask.Flask(__name__)\n"})
    found = find_dependencies(index)
    assert found.source in {None, name, "Pipfile"}
    assert found.manager == "none" or found.source is not None


def test_the_answer_does_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    """Written in another order, the same project gives the same answer."""
    files = {"a/requirements.txt": "flask\n", "b/requirements.txt": "flask\n", "c/app.py": "import flask\n"}
    first = find_dependencies(index_of(tmp_path / "one", files), "c")
    second = find_dependencies(index_of(tmp_path / "two", dict(reversed(files.items()))), "c")
    assert first == second
    assert first.source == "a/requirements.txt"


def test_dynamic_dependencies_are_followed_into_their_file(tmp_path: Path) -> None:
    """setuptools' dynamic dependencies lie in the file that pyproject.toml names."""
    pyproject = (
        "[project]\nname = 'x'\ndynamic = ['dependencies']\n"
        "[tool.setuptools.dynamic]\ndependencies = {file = ['deps/run.txt']}\n"
    )
    found = find_dependencies(index_of(tmp_path, {"pyproject.toml": pyproject, "deps/run.txt": "flask==3.0.0\n"}))
    assert found.source == "pyproject.toml"
    assert "deps/run.txt" in found.files
    assert [requirement.spec for requirement in found.requirements] == ["==3.0.0"]


def test_requirements_that_install_the_project_bring_its_dependencies(tmp_path: Path) -> None:
    """`-e .` in requirements.txt adds what setup.py asks for."""
    files = {
        "requirements.txt": "-e .\ngunicorn\n",
        "setup.py": "from setuptools import setup\nsetup(install_requires=['flask'])\n",
    }
    found = find_dependencies(index_of(tmp_path, files))
    assert found.source == "requirements.txt"
    assert {requirement.name for requirement in found.requirements} == {"gunicorn", "flask"}
