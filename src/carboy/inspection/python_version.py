"""Which Python the project wants: every place that names one, and the most binding of them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import constant_text
from carboy.inspection.documents import ini_of, table, toml_of
from carboy.inspection.index import Index
from carboy.inspection.launch_files import joined
from carboy.inspection.requirements_files import LONGEST
from carboy.inspection.roots import folder_of, join
from carboy.model.facts import Evidence, Place, PythonFact

_NUMBER = r"\d\.\d{1,2}(?:\.\d{1,2})?"
# The order of authority: what pins the interpreter of a deployment before what a developer's tools use.
AUTHORITY = (
    ".python-version",
    "runtime.txt",
    "Dockerfile",
    "Pipfile",
    ".tool-versions",
    "platform",
    "environment.yml",
    "pyproject",
    "tox",
    "workflow",
)  # fmt: skip  (an order reads better on a line)
_WEAK = {"tox", "workflow"}  # lists of what is tested, not of what is run


@dataclass(frozen=True)
class Claim:
    """One place that names a Python: an exact `version`, or a specifier in `requires`."""

    source: str
    version: str | None
    requires: str | None
    place: Place


def find_python(index: Index, folder: str = "") -> PythonFact:
    """The version by the most binding of the places that name one."""
    claims = python_claims(index, folder)
    exact = [claim for claim in claims if claim.version and claim.source not in _WEAK]
    exact = exact or _single([claim for claim in claims if claim.version])
    wanted = [claim for claim in claims if claim.requires]
    chosen = [*exact[:1], *wanted[:1]]
    return PythonFact(
        exact[0].version if exact else None,
        wanted[0].requires if wanted else None,
        tuple(dict.fromkeys(claim.place for claim in chosen)),
    )


def disagreements(index: Index, folder: str = "") -> Evidence:
    """The places that name different Pythons, the one that is followed first; empty where they agree."""
    claims = [claim for claim in python_claims(index, folder) if claim.source not in _WEAK]
    exact = [claim for claim in claims if claim.version]
    if not exact:
        return ()
    chosen = exact[0]
    others = [claim for claim in claims if claim is not chosen and not _agrees(chosen.version or "", claim)]
    return (chosen.place, *(claim.place for claim in others)) if others else ()


def _single(claims: list[Claim]) -> list[Claim]:
    """A list of versions under test names none of them."""
    return claims if len({claim.version for claim in claims}) == 1 else []


def _agrees(version: str, claim: Claim) -> bool:
    if claim.version:
        short = min(version.count("."), claim.version.count("."), 1) + 1
        return version.split(".")[:short] == claim.version.split(".")[:short]
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # slow to load, and seldom needed

    try:
        probe = version if version.count(".") > 1 else f"{version}.99"  # any release of 3.9 may satisfy >=3.9.2
        return SpecifierSet(claim.requires or "").contains(probe) or SpecifierSet(claim.requires or "").contains(
            version
        )
    except InvalidSpecifier:
        return True


def python_claims(index: Index, folder: str = "") -> list[Claim]:
    """Everything that names a Python, the most binding first; what lies in the app's folder before the root's."""
    homes = list(dict.fromkeys([folder, *_above(folder), ""]))
    found = [claim for home in homes for claim in _in_folder(index, home)]
    found += [*_docker(index, homes), *_workflows(index)]
    order = {name: number for number, name in enumerate(AUTHORITY)}
    return sorted(found, key=lambda claim: (order[claim.source], -claim.place.file.count("/")))


def _above(folder: str) -> Iterator[str]:
    while folder:
        folder = folder_of(folder)
        yield folder


def _in_folder(index: Index, home: str) -> Iterator[Claim]:
    yield from _plain_files(index, home)
    yield from _pipfile(index, join(home, "Pipfile"))
    yield from _pyproject(index, join(home, "pyproject.toml"))
    yield from _setup_cfg(index, join(home, "setup.cfg"))
    yield from _setup_py(index, join(home, "setup.py"))
    yield from _tox(index, join(home, "tox.ini"))


# File name, the authority it speaks with, and the pattern of a line that names a version.
_LINES = (
    (".python-version", ".python-version", rf"\s*(?:python-|cpython-)?({_NUMBER})\b"),
    ("runtime.txt", "runtime.txt", rf"\s*python-({_NUMBER})\b"),
    (".tool-versions", ".tool-versions", rf"\s*python\s+({_NUMBER})\b"),
    ("mise.toml", ".tool-versions", rf"\s*python\s*=\s*[\"']({_NUMBER})"),
    ("app.yaml", "platform", r"\s*runtime:\s*python(3)(\d{1,2})\s*$"),
    ("render.yaml", "platform", rf"\s*value:\s*[\"']?({_NUMBER})[\"']?\s*$"),
    ("environment.yml", "environment.yml", rf"\s*-\s*python\s*=+\s*({_NUMBER})"),
    ("environment.yaml", "environment.yml", rf"\s*-\s*python\s*=+\s*({_NUMBER})"),
    (".readthedocs.yaml", "workflow", rf"\s*python:\s*[\"']({_NUMBER})"),
)


def _plain_files(index: Index, home: str) -> Iterator[Claim]:
    for name, source, pattern in _LINES:
        path = join(home, name)
        for number, text in enumerate(index.lines(path) if index.has(path) else (), start=1):
            match = re.match(pattern, text)
            if match and _is_python_value(index, path, name, number):
                yield Claim(source, ".".join(match.groups()), None, Place(path, number))
                break


def _is_python_value(index: Index, path: str, name: str, number: int) -> bool:
    """In render.yaml a value is Python's version only behind the key PYTHON_VERSION."""
    return name != "render.yaml" or "PYTHON_VERSION" in "".join(index.lines(path)[max(0, number - 2) : number])


def _pipfile(index: Index, path: str) -> Iterator[Claim]:
    requires = table(toml_of(index, path), "requires")
    for key in ("python_full_version", "python_version"):
        version = requires.get(key)
        if isinstance(version, str) and re.fullmatch(_NUMBER, version):
            yield Claim("Pipfile", version, None, Place(path, _line(index, path, rf"\s*{key}\s*=")))
            return


def _pyproject(index: Index, path: str) -> Iterator[Claim]:
    data = toml_of(index, path)
    spec = table(data, "project").get("requires-python")
    if isinstance(spec, str) and len(spec) <= LONGEST:
        yield _specified("pyproject", spec, Place(path, _line(index, path, r"\s*requires-python\s*=")))
    python = table(data, "tool", "poetry", "dependencies").get("python")
    if isinstance(python, str) and len(python) <= LONGEST and not isinstance(spec, str):
        place = Place(path, _line(index, path, r"\s*python\s*="))
        yield _specified("pyproject", caret_to_specifier(python), place)


def _specified(source: str, spec: str, place: Place) -> Claim:
    """A specifier, or an exact version where it leaves no other ("==3.9.*", "3.9")."""
    exact = re.fullmatch(rf"(?:==)?\s*({_NUMBER})(?:\.\*)?", spec.strip())
    return Claim(source, exact[1] if exact else None, spec.strip() or None, place)


def caret_to_specifier(text: str) -> str:
    """Poetry's constraint as a specifier: "^3.9" is ">=3.9,<4.0", "~3.9" is ">=3.9,<3.10"; "*" is none."""
    found = []
    for part in re.split(r"\s*,\s*|\s+(?=[<>=!^~])", text.split("||")[0].strip()):
        match = re.fullmatch(r"(\^|~)(\d+)(?:\.(\d+))?(?:\.(\d+))?", part)
        if match and match[1] == "^":
            found += [f">={part[1:]}", f"<{int(match[2]) + 1}.0"]
        elif match:
            found += [f">={part[1:]}", f"<{match[2]}.{int(match[3]) + 1}" if match[3] else f"<{int(match[2]) + 1}.0"]
        elif part not in {"*", ""}:
            found.append(f"=={part}" if part.endswith("*") and not part.startswith("=") else part)
    return ",".join(found)


def _setup_cfg(index: Index, path: str) -> Iterator[Claim]:
    written = ini_of(index, path).get("options", "python_requires", fallback=None) if index.has(path) else None
    if written is not None and len(written) <= LONGEST:
        yield _specified("pyproject", written, Place(path, _line(index, path, r"\s*python_requires\s*=")))


def _setup_py(index: Index, path: str) -> Iterator[Claim]:
    module = index.module(path)
    for node in module.of(ast.keyword) if module else ():
        text = constant_text(node.value)
        if node.arg == "python_requires" and text:
            yield _specified("pyproject", text, Place(path, node.value.lineno))


def _tox(index: Index, path: str) -> Iterator[Claim]:
    for number, text in enumerate(index.lines(path) if index.has(path) else (), start=1):
        if re.match(r"\s*envlist\s*=|\s*env_list\s*=", text):
            for match in re.finditer(r"\bpy(3)(\d{1,2})\b", text):
                yield Claim("tox", f"{match[1]}.{match[2]}", None, Place(path, number))


_FROM = re.compile(rf"FROM\s+(?:--platform=\S+\s+)?\S*?\bpython:({_NUMBER})", re.IGNORECASE)
_ARG = re.compile(rf"ARG\s+PYTHON(?:_?VERSION)?\w*\s*=\s*[\"']?({_NUMBER})", re.IGNORECASE)


def _docker(index: Index, homes: list[str]) -> Iterator[Claim]:
    """The last Python image of each Dockerfile: earlier stages only build."""
    for path in index.files:
        name = path.rsplit("/", 1)[-1]
        if not name.lower().startswith(("dockerfile", "containerfile")) or path.count("/") > 2:
            continue
        if folder_of(path) not in {*homes, "docker", "deploy", ".docker", "build"} or re.search(r"dev|test|node", name):
            continue
        found = None
        for number, text in joined(index.lines(path)):
            match = _FROM.match(text) or _ARG.match(text)
            found = Claim("Dockerfile", match[1], None, Place(path, number)) if match else found
        yield from [found] if found else []


def _workflows(index: Index) -> Iterator[Claim]:
    for path in index.files:
        if not (path.startswith((".github/workflows/", ".circleci/")) or path in {".gitlab-ci.yml", ".travis.yml"}):
            continue
        for number, text in enumerate(index.lines(path), start=1):
            if re.search(r"python-version|image:\s*\S*python:|^\s*python:|PYTHON_VERSION", text):
                for match in re.finditer(rf"(?<![\d.])({_NUMBER})(?![\d.])", text):
                    yield Claim("workflow", match[1], None, Place(path, number))


def _line(index: Index, path: str, pattern: str) -> int | None:
    found = re.compile(pattern)
    return next((number for number, text in enumerate(index.lines(path), start=1) if found.match(text)), None)
