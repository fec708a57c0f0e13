"""Warnings about what is installed."""

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from carboy.inspection.code import project_of
from carboy.inspection.imports_used import DISTRIBUTIONS, imported, is_brought
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.model.facts import AppFact, DependenciesFact, Place, Requirement, Warn

if TYPE_CHECKING:  # packaging is slow to load, and most projects have nothing to compare
    from packaging.version import Version

SERVERS = frozenset({
    "gunicorn", "uwsgi", "pyuwsgi", "waitress", "uvicorn", "hypercorn", "granian", "mod-wsgi", "cheroot",
    "cherrypy", "bjoern", "meinheld", "daphne", "gevent", "eventlet", "tornado", "twisted", "gevent-websocket",
    "uvicorn-worker",
})  # fmt: skip
_DEVELOPMENT = frozenset({
    "pytest", "black", "flake8", "pylint", "mypy", "tox", "coverage", "ipython", "ipdb", "pre-commit", "nose",
    "isort", "flask-debugtoolbar", "factory-boy", "autopep8", "jupyter", "notebook", "pytest-cov", "pytest-flask",
    "ruff", "nox", "flask-testing", "sphinx", "selenium", "pudb", "responses", "freezegun", "pycodestyle", "yapf",
    "bandit", "ptpython", "flask-shell-ipython", "fakeredis", "testfixtures", "mock", "webtest",
})  # fmt: skip
_COMPILED = {
    "psycopg2": "libpq headers and a C compiler; psycopg2-binary brings its own",
    "mysqlclient": "MariaDB's headers", "flask-mysqldb": "MariaDB's headers (mysqlclient)", "uwsgi": "a C compiler",
    "python-ldap": "OpenLDAP's headers", "mod-wsgi": "Apache's headers",
    "pycrypto": "a C compiler; pycryptodome replaces it", "mysql-python": "MySQL's headers", "xmlsec": "libxmlsec1",
    "pygraphviz": "Graphviz's headers", "m2crypto": "OpenSSL's headers and SWIG", "pycairo": "cairo",
    "python-snappy": "snappy's headers", "pysqlite3": "SQLite's headers", "dbus-python": "D-Bus's headers",
    "pycurl": "libcurl", "mariadb": "MariaDB's headers", "psycopg-c": "libpq headers", "bjoern": "libev",
    "pylibmc": "libmemcached",
}  # fmt: skip
# Pinned below this version, a distribution has no wheel for Python 3.11 and does not build there, or does not import.
_TOO_OLD = {
    "greenlet": "2.0", "gevent": "22.10", "psycopg2": "2.9.5", "psycopg2-binary": "2.9.5", "pillow": "9.3",
    "lxml": "4.9.1", "numpy": "1.23.2", "pandas": "1.5", "markupsafe": "2.0", "pyyaml": "6.0", "cffi": "1.15.1",
    "mysqlclient": "2.1", "jinja2": "2.11", "werkzeug": "0.16", "aiohttp": "3.8.3", "scipy": "1.9.2",
    "scikit-learn": "1.1.3", "grpcio": "1.49", "matplotlib": "3.6", "regex": "2022", "bcrypt": "3.1.5",
    "eventlet": "0.33", "kombu": "4.6", "celery": "4.4", "sqlalchemy": "1.3", "wrapt": "1.14", "tensorflow": "2.12",
    "torch": "1.13", "flask": "1.0", "lazy-object-proxy": "1.8",
}  # fmt: skip
_PKG_RESOURCES = {
    "gunicorn": "21",
    "apscheduler": "3.10.2",
    "honcho": "2",
    "google-api-python-client": "2",
    "supervisor": "4.3",
}
_BROUGHT = ("werkzeug", "jinja2", "itsdangerous", "markupsafe")
_PRIVATE = re.compile(
    r"--extra-index-url|^\s*(-i|--index-url)\s|git\+ssh://|git@[\w.-]+:|://[^/\s]*(\$\{|:[^/\s@]*@|token)|^\s*--find-links|"
    r"\[\[tool\.poetry\.source\]\]|\[\[tool\.uv\.index\]\]|\[\[source\]\]"
)


def dependency_warnings(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[Warn]:
    """Everything about the requirements, in a fixed order."""
    yield from _undeclared(index, dependencies, app)
    yield from _private(index, dependencies)
    names = {requirement.name: requirement for requirement in dependencies.requirements}
    if names and not SERVERS & names.keys():
        message = "no production server is among the dependencies; the release adds one"
        yield Warn("no-production-server", message, dependencies.evidence)
    mixed = [requirement for name, requirement in names.items() if name in _DEVELOPMENT]
    if mixed and dependencies.manager != "none":
        yield _listed("dev-requirements-mixed", "development tools are installed in production", mixed)
    compiled = [requirement for name, requirement in names.items() if name in _COMPILED]
    for requirement in compiled:
        message = f"{requirement.name} is compiled where it is installed: needs {_COMPILED[requirement.name]}"
        yield Warn("compiles-c", message, requirement.evidence)
    yield from _unpinned(dependencies)
    yield from _old(names)
    yield from _pkg_resources(index, names, app)
    yield from _drivers(names)


def _listed(code: str, text: str, requirements: list[Requirement]) -> Warn:
    shown = ", ".join(requirement.name for requirement in requirements[:6])
    more = f" and {len(requirements) - 6} more" if len(requirements) > 6 else ""
    evidence = tuple(place for requirement in requirements[:6] for place in requirement.evidence[:1])
    return Warn(code, f"{text}: {shown}{more}", evidence)


def _undeclared(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[Warn]:
    if dependencies.manager == "none":
        if dependencies.requirements:
            text = "no file declares the dependencies; these are inferred from the imports"
            yield _listed("undeclared-dependencies", text, list(dependencies.requirements))
        return
    names = {requirement.name for requirement in dependencies.requirements}
    missing = []
    for name, place in sorted(imported(index, {code.path for code in production_codes(index, app)}).items()):
        distribution = re.sub(r"[-_.]+", "-", DISTRIBUTIONS.get(name, name)).lower()
        plain = re.sub(r"[-_.]+", "-", name).lower()
        optional = project_of(index).codes[place.file].function_of(ast.Pass(lineno=place.line or 0)) is not None
        if (
            not optional
            and not {distribution, plain} & names
            and not is_brought(name, names)
            and not _alike(plain, names)
        ):
            missing.append(Requirement(distribution, "", (place,)))
    if missing and dependencies.source and not dependencies.source.endswith(".lock"):
        text = f"imported, but not declared in {dependencies.source}"
        yield _listed("undeclared-dependencies", text, missing)


def _alike(name: str, names: set[str]) -> bool:
    """Distributions are often called after their import name with a word around it: python-x, x-py, flask-x2."""
    return any(name in re.split("-", other) or other.replace("-", "") == name.replace("-", "") for other in names)


def _private(index: Index, dependencies: DependenciesFact) -> Iterator[Warn]:
    places = []
    for path in dependencies.files:
        if path.endswith(".lock"):
            continue
        for number, line in enumerate(index.lines(path), 1):
            public = "pypi.org" in line or "download.pytorch.org" in line
            if _PRIVATE.search(line) and not public and not _is_public_source(index, path, number):
                places.append(Place(path, number))
    if places:
        message = "something is installed from a private place: the machine that builds the release needs access to it"
        yield Warn("private-source", message, tuple(places))


def _is_public_source(index: Index, path: str, number: int) -> bool:
    """A Pipfile always names its source; the public index is no news."""
    return any("pypi.org" in line for line in index.lines(path)[number : number + 4])


def _unpinned(dependencies: DependenciesFact) -> Iterator[Warn]:
    if dependencies.manager == "none" or (dependencies.source or "").endswith(".lock"):
        return
    loose = [r for r in dependencies.requirements if not re.search(r"===?|~=|<|\^|@", r.spec) and not _is_bare(r.spec)]
    if loose:
        yield _listed("unpinned", "no upper bound, so that a later release can differ from the tested one", loose)


def _is_bare(spec: str) -> bool:
    return bool(re.match(r"^~?\d", spec))


def version_of(requirement: Requirement | None) -> "Version | None":
    """The version of an exact pin, None for anything else."""
    match = re.match(r"^={1,3}\s*([\w.!+-]+?)(\.\*)?$", requirement.spec.split(",")[0].strip()) if requirement else None
    if match is None:
        return None
    from packaging.version import InvalidVersion, Version

    try:
        return Version(match[1])
    except InvalidVersion:
        return None


def _is_below(requirement: Requirement | None, version: str) -> bool:
    """Whether a requirement allows nothing from `version` on."""
    exact = version_of(requirement)
    if requirement is None or (exact is None and not re.search(r"<|~=|\^|~\d", requirement.spec)):
        return False
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    if exact is not None:
        return exact < Version(version)
    written = re.sub(r"^[\^~](?=\d)", ">=", requirement.spec)
    if written != requirement.spec:  # Poetry's caret and tilde stop before the next major or minor version
        return _major(requirement.spec) < Version(version)
    try:
        spec = SpecifierSet(written)
    except InvalidSpecifier:
        return False
    named = [found for found in re.findall(r"\d[\d.]*\d|\d", written) if Version(found) >= Version(version)]
    return not any(spec.contains(later) for later in (version, f"{version}.1", "9999", *named))


def _major(spec: str) -> "Version":
    """The first version that `^1.2` or `~1.2` leaves out."""
    from packaging.version import Version

    parts = [int(part) for part in re.findall(r"\d+", spec)[:3]]
    if spec.startswith("~") and len(parts) > 1:
        return Version(f"{parts[0]}.{parts[1] + 1}")
    return Version(f"{parts[0] + 1}.0") if parts[0] else Version(f"0.{[*parts, 0][1] + 1}")


def _old(names: dict[str, Requirement]) -> Iterator[Warn]:
    aged = [r for name, r in names.items() if name in _TOO_OLD and _exact_below(r, _TOO_OLD[name])]
    if aged:
        yield _listed("pins-old", "pinned to versions that do not install or import on a current Python", aged)
    flask = names.get("flask")
    loose = [name for name in _BROUGHT if name not in names]
    if flask and _is_below(flask, "2.0") and loose:
        message = f"Flask {flask.spec} does not work with what pip now picks for {', '.join(loose)}: pin them as well"
        yield Warn("pins-old", message, flask.evidence)
    elif flask and _is_below(flask, "2.3") and "werkzeug" in loose:
        yield Warn("pins-old", f"Flask {flask.spec} does not work with Werkzeug 3: add werkzeug<3", flask.evidence)
    extension, sqlalchemy = names.get("flask-sqlalchemy"), names.get("sqlalchemy")
    if extension and _is_below(extension, "3.0") and not (sqlalchemy and sqlalchemy.spec):
        message = f"Flask-SQLAlchemy {extension.spec} does not work with SQLAlchemy 2: add sqlalchemy<2"
        yield Warn("pins-old", message, extension.evidence)
    for name, reason in _GONE.items():
        if name in names and not (flask and _is_below(flask, "2.0")):
            yield Warn("pins-old", reason, names[name].evidence)


_GONE = {
    "flask-script": "Flask-Script does not import with Flask 2.0 and later",
    "flask-uploads": "Flask-Uploads does not import with Werkzeug 1.0 and later: Flask-Reuploaded replaces it",
    "flask-restplus": "flask-restplus does not import with Werkzeug 1.0 and later: flask-restx replaces it",
    "flask-cache": "Flask-Cache does not import with Flask 1.0 and later: Flask-Caching replaces it",
}


def _exact_below(requirement: Requirement, version: str) -> bool:
    exact = version_of(requirement)
    if exact is None:
        return False
    from packaging.version import Version

    return exact < Version(version)


def _pkg_resources(index: Index, names: dict[str, Requirement], app: AppFact) -> Iterator[Warn]:
    aged = [r for name, r in names.items() if name in _PKG_RESOURCES and _is_below(r, _PKG_RESOURCES[name])]
    places = [place for requirement in aged for place in requirement.evidence]
    places += [
        Place(code.path, line)
        for code in production_codes(index, app)
        for name, line in code.import_lines.items()
        if name.split(".")[0] == "pkg_resources"
    ]
    setuptools = names.get("setuptools")
    if places and not (setuptools and _is_below(setuptools, "81")):
        message = "pkg_resources is imported, which setuptools 81 and later no longer have: add setuptools<81"
        yield Warn("needs-setuptools", message, tuple(dict.fromkeys(places))[:6])


def _drivers(names: dict[str, Requirement]) -> Iterator[Warn]:
    """SQLAlchemy 2.1 takes a plain postgresql:// address to mean psycopg 3."""
    loose = [n for n in ("sqlalchemy", "flask-sqlalchemy") if n in names]
    pinned = "sqlalchemy" in names and bool(re.search(r"==|~=|<|\^", names["sqlalchemy"].spec))
    old = {"psycopg2", "psycopg2-binary"} & names.keys()
    if loose and old and not pinned and "psycopg" not in names and not _is_below(names.get("flask-sqlalchemy"), "3.0"):
        message = "SQLAlchemy 2.1 takes postgresql:// to mean psycopg 3, and psycopg2 is installed: add sqlalchemy<2.1"
        yield Warn("sqlalchemy-driver", message, names[loose[0]].evidence)
