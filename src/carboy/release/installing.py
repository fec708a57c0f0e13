"""Installing what an app and its server need into one environment, and saying plainly why it does not go."""

import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from carboy.errors import Failed
from carboy.model.command import Completed
from carboy.model.diagnosis import PYTHON_RELEASED
from carboy.model.plan import App
from carboy.release.requirement_files import Wanted, requirement_name
from carboy.release.uv_program import OnStep, Uv, failed_package, reason


class InstallFailed(Failed):
    """The requirements did not install. `output` is all that uv said, `python` the minor it was tried with."""

    def __init__(self, what: str, *, where: str, hint: str, output: str, python: str, package: str | None) -> None:
        super().__init__(what, where=where, hint=hint, details=tuple(output.splitlines()[-30:]))
        self.output = output
        self.python = python
        self.package = package


@dataclass(frozen=True, slots=True)
class Install:
    """One installation: into the environment `folder`, with its own `python`."""

    uv: Uv
    source: Path
    folder: Path
    python: Path
    version: str
    app: App
    server: tuple[str, ...]
    wanted: Wanted
    wheels: tuple[str, ...] = ()


def install(job: Install, on_step: OnStep) -> tuple[str, ...]:
    """Install everything in one resolution; returns sentences for people. Raises InstallFailed."""
    files = _write_inputs(job)
    notes = list(job.wanted.notes)
    on_step(f"installing {_what(job)}")
    try:
        return (*notes, *_attempts(job, files))
    finally:
        shutil.rmtree(_copy_folder(job), ignore_errors=True)


def _attempts(job: Install, files: "_Inputs") -> tuple[str, ...]:
    first = _try(job, files)
    if first.ok:
        return ()
    if job.wanted.project is not None and _copy_folder(job).name in _text(first):
        # Many a project has metadata that never built; it may do without being installed.
        alone = replace(job, wanted=replace(job.wanted, project=None))
        note = f"the project itself could not be installed: {reason(_text(first))}"
        return (note, *_attempts(alone, files))
    again = _second(job, files, _text(first))
    if again is None or not again.ok:
        # The second try came further than the first: what stopped it is what there is to mend.
        raise _failed(job, _text(again or first))
    return tuple(_replaced_notes(job))


@dataclass(frozen=True, slots=True)
class _Inputs:
    wanted: Path
    constraints: Path
    extra: Path
    overrides: Path
    overrides_only: Path
    never: Path


def _write_inputs(job: Install) -> _Inputs:
    folder = job.folder / "carboy-requirements"
    folder.mkdir(exist_ok=True)
    lines = _from_copy(job, _exported(job) if job.wanted.export else job.wanted.lines)
    extra = [*job.app.packages, *job.server]
    files = _Inputs(
        *(folder / name for name in ("app.txt", "constraints.txt", "extra.txt", "over.txt", "alone.txt", "never.txt"))
    )
    for path, content in (
        (files.wanted, lines),
        (files.constraints, job.wanted.constraints),
        (files.extra, [line for line in extra if not _never_installs(line)]),
        (files.overrides, [_within_pin(line, lines) for line in extra]),
        (files.overrides_only, extra),
        (files.never, [line for line in extra if _never_installs(line)]),
    ):
        path.write_text("".join(f"{line}\n" for line in content), "utf-8")
    return files


def _within_pin(line: str, wanted: list[str]) -> str:
    """The project's own pin where it is what `line` allows anyway: an override would forget it."""
    name = requirement_name(line)
    pins = [pin for one in wanted if requirement_name(one) == name and (pin := _pinned(one))]
    try:
        ours = Requirement(line)
    except InvalidRequirement:
        return line
    if not pins or ours.marker or not ours.specifier.contains(pins[0], prereleases=True):
        return line
    extras = f"[{','.join(sorted(ours.extras))}]" if ours.extras else ""
    return f"{ours.name}{extras}=={pins[0]}"


def _pinned(line: str) -> str:
    match = re.match(r"^[\w.-]+(?:\[[^\]]*\])?\s*==\s*([\w.+!-]+)\s*(?:;|--hash|$)", line)
    return match[1] if match else ""


def _copy_folder(job: Install) -> Path:
    return job.folder / "carboy-project"


def _from_copy(job: Install, lines: list[str]) -> list[str]:
    """The lines, with folders of the project named in a copy of it: building leaves its traces where it happens."""
    place = str(job.source.resolve())
    inside = [line for line in lines if line.startswith(place)]
    if inside or job.wanted.metadata or job.wanted.project:
        shutil.copytree(job.source, _copy_folder(job), ignore=_not_copied, symlinks=True, dirs_exist_ok=True)
    return [line.replace(place, str(_copy_folder(job)), 1) if line in inside else line for line in lines]


_not_copied = shutil.ignore_patterns(
    ".carboy", ".git", "node_modules", "__pycache__", ".venv", "venv", ".tox", "*.sqlite*"
)


def _in_copy(job: Install, path: Path) -> str:
    return str(_copy_folder(job) / path.resolve().relative_to(job.source.resolve()))


def _exported(job: Install) -> list[str]:
    assert job.wanted.export is not None
    words = ("export", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate")
    folder = job.wanted.export.parent
    answer = job.uv.run(*words, "--python", str(job.python), folder=folder)
    if not answer.ok:
        raise _failed(job, _text(answer))
    lines = [line for line in answer.out if line.strip() and not line.startswith("#")]
    return [_absolute(line, folder) for line in lines]


def _absolute(line: str, folder: Path) -> str:
    plain = line.removeprefix("-e ").strip()
    if plain.startswith(("./", "../")):
        path, _, marker = plain.partition(" ;")
        return f"{(folder / path).resolve()}" + (f" ;{marker}" if marker else "")
    return plain


def _try(job: Install, files: _Inputs, *, overrides: Path | None = None, more: tuple[str, ...] = ()) -> Completed:
    words = ["pip", "install", "--python", str(job.python), "--no-editable", "-r", str(files.wanted)]
    words += ["-r", str(files.extra), *job.wanted.options, *more]
    for name in job.wheels:
        words += ["--only-binary", name]
    if job.wanted.metadata:
        words += ["-r", _in_copy(job, job.wanted.metadata)]
    if job.wanted.project:
        words.append(_in_copy(job, job.wanted.project))
    if job.wanted.constraints:
        words += ["-c", str(files.constraints)]
    if overrides:
        words += ["--overrides", str(overrides)]
    elif files.never.stat().st_size:
        words += ["--overrides", str(files.never)]
    if any(requirement_name(line) == "setuptools" for line in job.app.packages):
        # A cap on setuptools is meant for the builds as well: each of them gets setuptools of its own.
        words += ["--build-constraints", str(_build_constraints(job, files))]
    return job.uv.run(*words, *_dates(job), variables=_version_for_scm(job))


def _version_for_scm(job: Install) -> dict[str, str]:
    """A version for a project that takes it from git's tags: the copy that is built has no history."""
    name = job.wanted.project_name
    variable = "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_" + re.sub(r"[-_.]+", "_", name).upper()
    return {variable: "0.0.0"} if name else {}


def _build_constraints(job: Install, files: _Inputs) -> Path:
    path = files.extra.with_name("build.txt")
    lines = [line for line in job.app.packages if requirement_name(line) == "setuptools"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _dates(job: Install) -> list[str]:
    if not job.app.exclude_newer:
        return []
    words = ["--exclude-newer", job.app.exclude_newer]
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    ours = {name for line in (*job.server, *job.app.packages) if (name := requirement_name(line))}
    for name in sorted(ours):  # what Carboy asks for is not of the project's time
        words += ["--exclude-newer-package", f"{name}={today}"]
    for name in sorted({"setuptools", "wheel"} - ours):
        words += ["--exclude-newer-package", f"{name}={_tools_day(job.app.exclude_newer, job.version)}"]
    return words


def _tools_day(day: str, python: str) -> str:
    """The tools of a build are of the project's time, but not older than the Python that they run on."""
    known = next((released for name, released in PYTHON_RELEASED if name == python), date.min)
    return max(day[:10], (known + timedelta(days=30)).isoformat() if known != date.min else day[:10])


def _second(job: Install, files: _Inputs, output: str) -> Completed | None:
    """Another try for what pip would have taken, or where the plan's own words contradict the project's pins."""
    if "pre-release" in output.lower():
        return _try(job, files, more=("--prerelease", "allow"))
    ours = [name for line in (*job.server, *job.app.packages) if (name := requirement_name(line))]
    if "unsatisfiable" in output and any(name in output for name in ours):
        kept = _try(job, files, overrides=files.overrides)
        return kept if kept.ok else _try(job, files, overrides=files.overrides_only)
    return None


def _replaced_notes(job: Install) -> list[str]:
    ours = {name: line for line in (*job.server, *job.app.packages) if (name := requirement_name(line))}
    pins = {name: line for line in job.wanted.lines if (name := requirement_name(line))}
    return [
        f"{pins[name]} of the project is replaced by {ours[name]}"
        for name in sorted(ours.keys() & pins.keys())
        if _within_pin(ours[name], [pins[name]]) == ours[name]
    ]


def _never_installs(line: str) -> bool:
    """A marker that is false everywhere takes a package out: `psycopg2; python_version < '0'`."""
    return line.partition(";")[2].replace(" ", "").replace('"', "'") == "python_version<'0'"


def _text(answer: Completed) -> str:
    return "\n".join(answer.lines)


def _what(job: Install) -> str:
    return job.app.source or (f"{len(job.app.packages)} packages" if job.app.packages else "the server")


def _failed(job: Install, output: str) -> InstallFailed:
    package = failed_package(output)
    subject = f"{package} does not install" if package else "the requirements do not install"
    return InstallFailed(
        f"{subject} on Python {job.version}: {reason(output)}",
        where=job.app.source or "dependencies",
        hint="try `--fix-requirements`, or set app.python, app.packages or app.exclude_newer",
        output=output,
        python=job.version,
        package=package,
    )
