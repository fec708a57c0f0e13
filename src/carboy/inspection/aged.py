"""Aged projects: from what an installer or an import said to the package, the reason and what to try.

Pure: the text of the failure goes in, a Diagnosis comes out.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from carboy.inspection.aged_builds import BUILD_RULES
from carboy.inspection.aged_imports import IMPORT_RULES, PACKAGES
from carboy.inspection.aged_rules import Rule
from carboy.model.diagnosis import PYTHON_RELEASED, Diagnosis, Remedy
from carboy.model.facts import Requirement

_SETTLED = timedelta(days=180)  # until wheels for a new Python were common
_WITH_WHEELS = ("3.12", "3.11", "3.10", "3.9", "3.8")
_IMPORT_TROUBLE = re.compile(r"\b(?:ImportError|ModuleNotFoundError|AttributeError|TypeError)\b")
_UNSATISFIABLE = re.compile(r"No solution found|unsatisfiable|ResolutionImpossible")


def diagnose(
    output: str, *, requirements: tuple[Requirement, ...] = (), python_version: str, last_commit: date | None = None
) -> Diagnosis | None:
    """What failed and what to try, or None where the failure shows no sign of age.

    `output` is what uv said, or the traceback of a probe; `last_commit` allows the general answer: the versions of
    that time.
    """
    python = ".".join(python_version.split(".")[:2])
    failed = _failed_build(output)
    found: Diagnosis | None
    if failed:
        found = _built(output, failed, python)
    elif _UNSATISFIABLE.search(output):
        found = _resolved(output, python)
    else:
        found = _imported(output, requirements, python)
    return _with_general_answer(found, output, requirements, python, last_commit)


def _failed_build(output: str) -> str | None:
    match = re.search(r"Failed to (?:build|download and build) [`']?([A-Za-z0-9._-]+?)(?:==([\w.+!-]+))?[`'\s]", output)
    return match[1] if match else None


def _built(output: str, failed: str, python: str) -> Diagnosis:
    match = re.search(rf"{re.escape(failed)}==([\w.+!-]+)", output)
    words = {"failed": failed, "pin": match[1] if match else "0", "python": python}
    for rule in BUILD_RULES:
        if sign := rule.sign.search(output):
            return _diagnosis(rule, sign, words, python)
    remedies = (*_pythons(_WITH_WHEELS, python, failed), Remedy("packages", (f"{failed}>={words['pin']}",)))
    return Diagnosis(failed, f"{failed} has no wheel for Python {python} and does not build", remedies)


def _resolved(output: str, python: str) -> Diagnosis | None:
    text = " ".join(line.strip() for line in output.splitlines())
    match = re.search(r"Python version \(([\d.]+)\) does not satisfy Python([<>=!~]+)([\d.]+)[^ ]* and ([\w.-]+)", text)
    if match:
        return _other_python(match[4], match[2], match[3], python)
    if match := re.search(r"Wheels are required for `([\w.-]+)` because", text):
        return _without_wheel(match[1], text, python)
    if match := re.search(r"Because ([\w.-]+) was not found in the package registry", text):
        return Diagnosis(match[1], f"{match[1]} is on no index that is known here: a private one, or gone", ())
    if match := re.search(r"there (?:is no version of|are no versions of) ([\w.-]+?)((?:==|>=|<=|<|>)[\w.]+)", text):
        remedy = Remedy("packages", (match[1],))
        return Diagnosis(match[1], f"{match[1]}{match[2]} does not exist (any more) for Python {python}", (remedy,))
    if match := re.search(r"([\w.-]+)(==[\w.]+) (?:has no wheels|is yanked|was yanked)", text):
        return Diagnosis(match[1], f"{match[1]}{match[2]} was taken back", (Remedy("packages", (match[1],)),))
    return _conflict(text)


def _without_wheel(package: str, text: str, python: str) -> Diagnosis:
    """Not to be compiled, and no wheel fits: a Python that has one, else a version that has one."""
    match = re.search(rf"\b{re.escape(package)}==([\w.+!-]+?) has no (?:usable )?wheels", text)
    newer = Remedy("packages", (f"{package}>={match[1]}" if match else package,))
    pinned = f"{package}=={match[1]}" if match else package
    remedies = (*_pythons(_WITH_WHEELS, python, package), newer)
    return Diagnosis(package, f"{pinned} has no wheel for Python {python}", remedies)


def _conflict(text: str) -> Diagnosis | None:
    """`a` depends on `b>=2`, and the project pins `b==1`: what `a` asks for is tried."""
    match = re.search(r"([\w.-]+)((?:==|>=|<=|<|>)[\w.]+)? depends on ([\w.-]+)((?:==|>=|<=|<|>|~=)[\w.,<>=]+)", text)
    if not match:
        return None
    holder, wanted, spec = match[1], match[3], match[4].rstrip(",.")
    reason = f"{holder}{match[2] or ''} wants {wanted}{spec}, and another requirement forbids that"
    return Diagnosis(wanted, reason, (Remedy("packages", (f"{wanted}{spec}",)),))


def _other_python(package: str, sign: str, version: str, python: str) -> Diagnosis:
    parts = version.split(".")
    minor = ".".join(parts[:2])
    if sign.startswith(">"):
        wanted = [name for name, _ in PYTHON_RELEASED if _number(name) >= _number(minor)]
        reason = f"{package} needs Python {sign}{version}, and this is {python}"
        return Diagnosis(package, reason, tuple(Remedy("python", python=name) for name in wanted))
    below = [
        name for name, _ in reversed(PYTHON_RELEASED) if _number(name) < _number(minor) and _number(name) >= (3, 8)
    ]
    reason = f"{package} is for Pythons {sign}{version}, and this is {python}"
    remedies = (*(Remedy("python", python=name) for name in below), Remedy("packages", (package,)))
    return Diagnosis(package, reason, remedies)


def _imported(output: str, requirements: tuple[Requirement, ...], python: str) -> Diagnosis | None:
    words = {"failed": "", "pin": "0", "python": python}
    for rule in IMPORT_RULES:
        sign = rule.sign.search(output)
        if sign and not _contradicted(rule, requirements):
            return _diagnosis(rule, sign, words, python)
    match = re.search(r"No module named '?([\w.]+)'?", output)
    return _forgotten(match[1].split(".")[0]) if match else None


def _contradicted(rule: Rule, requirements: tuple[Requirement, ...]) -> bool:
    """psycopg 3 is what the project asks for: then its absence is not SQLAlchemy's doing."""
    names = {requirement.name for requirement in requirements}
    return "'psycopg'" in rule.sign.pattern and bool({"psycopg", "psycopg-binary"} & names)


def _forgotten(module: str) -> Diagnosis | None:
    package = PACKAGES.get(module) or (module.replace("_", "-") if module.startswith("flask_") else None)
    if package is None:
        return None
    reason = f"the code imports {module}, which the requirements do not list"
    return Diagnosis(package, reason, (Remedy("packages", (package,)),))


def _diagnosis(rule: Rule, sign: "re.Match[str]", words: dict[str, str], python: str) -> Diagnosis:
    group = next((found for found in sign.groups() if found), "") if sign.groups() else ""

    def say(text: str) -> str:
        return text.format(group, **words)

    choices = [tuple(say(package) for package in packages) for packages in (rule.packages, *rule.otherwise)]
    remedies = [Remedy("packages", packages) for packages in choices if packages]
    pythons = list(_pythons(rule.pythons, python, words["failed"]))
    # A newer version may break the code that uses it; an older Python does not.
    newer = bool(choices[0]) and ">=" in choices[0][0]
    remedies = [*pythons, *remedies] if newer else [*remedies, *pythons]
    if rule.system:
        remedies.append(Remedy("system", rule.system))
    return Diagnosis(say(rule.package), say(rule.reason), tuple(remedies))


def _pythons(names: tuple[str, ...], python: str, failed: str) -> Iterator[Remedy]:
    wheels = (failed,) if failed else ()
    return (Remedy("python", python=name, wheels=wheels) for name in names if _number(name) < _number(python))


def _with_general_answer(
    found: Diagnosis | None,
    output: str,
    requirements: tuple[Requirement, ...],
    python: str,
    last_commit: date | None,
) -> Diagnosis | None:
    """The versions of the project's own time, as the last thing to try; the only one where no sign was known."""
    if last_commit is not None and found is not None:
        found = _of_its_time_first(found, last_commit)
    # Older versions are harder to build, not easier.
    if (
        last_commit is None
        or _failed_build(output)
        or (found is None and not (_IMPORT_TROUBLE.search(output) or _UNSATISFIABLE.search(output)))
    ):
        return found
    day = (last_commit + timedelta(days=1)).isoformat()
    of_its_time = python_of(last_commit)
    general = [Remedy("exclude-newer", exclude_newer=day)]
    if _number(of_its_time) < _number(python):
        general.append(Remedy("exclude-newer", exclude_newer=day, python=of_its_time))
    if found is not None:
        return Diagnosis(found.package, found.reason, (*found.remedies, *general))
    unpinned = ", ".join(one.name for one in requirements if not one.spec.startswith("=="))
    reason = f"the requirements moved on since the project's last commit in {last_commit:%B %Y}"
    return Diagnosis(unpinned or "the requirements", reason, tuple(general))


def _of_its_time_first(found: Diagnosis, last_commit: date) -> Diagnosis:
    """The other Pythons in the order of their distance from the project's time: one step instead of many."""
    best = _number(python_of(last_commit))
    pythons = [remedy for remedy in found.remedies if remedy.kind == "python"]
    pythons.sort(key=lambda remedy: abs(_number(remedy.python or "3.8")[1] - best[1]))
    following = iter(pythons)
    remedies = [next(following) if remedy.kind == "python" else remedy for remedy in found.remedies]
    return Diagnosis(found.package, found.reason, tuple(remedies))


def python_of(day: date) -> str:
    """The newest Python that libraries commonly had wheels for on that day, 3.8 at least."""
    settled = [name for name, released in PYTHON_RELEASED if released + _SETTLED <= day]
    best = settled[-1] if settled else "3.8"
    return best if _number(best) >= (3, 8) else "3.8"


def _number(minor: str) -> tuple[int, int]:
    major, _, rest = minor.partition(".")
    return int(major), int(rest or 0)
