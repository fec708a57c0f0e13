"""Proof by running: the app imported in a child process, in its own Python, cut off, watched and thrown away."""

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from carboy.inspection.placeholders import other_placeholder, placeholder
from carboy.inspection.probe_message import hang_place, missing_variables, sentence
from carboy.inspection.throwaway import listing, throwaway_copy
from carboy.model.command import Command, Completed
from carboy.model.probe import Opened, PageTry, ProbeReport, ProbeStatus, Route

__all__ = ["ProbeRequest", "probe", "throwaway_copy"]

MOST_TRIES = 12
PAGE_SECONDS = 5.0
MOST_PAGES = 30
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Runs(Protocol):
    """What a connector offers and a probe needs."""

    def run(
        self,
        command: Command,
        *,
        timeout: float,
        on_line: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Completed: ...


@dataclass(frozen=True, kw_only=True)
class ProbeRequest:
    """What to probe.

    `source` is a throw-away copy of the project (`throwaway_copy`), `project` the project itself, in whose terms
    absolute paths are reported. `variables` are development values, never the user's secrets; `known` the names that
    reading the project found: they may get made-up values when a failure names them. `inherited` is where PATH and
    the locale are taken from, and nothing else. `deadline` is for everything together, in seconds.
    """

    python: Path
    source: Path
    ref: str
    folder: str = ""
    import_paths: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    inherited: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 30.0
    try_pages: bool = False
    isolate: bool = True
    project: Path | None = None


def probe(request: ProbeRequest, runner: Runs) -> ProbeReport:
    """Import `request.ref` and report; a failure is an answer, with one sentence, never an exception."""
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="carboy-scratch-"))
    try:
        before = listing(request.source)
        attempt, given = _attempts(request, runner, scratch, started + request.deadline)
        after = listing(request.source)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    written = tuple(sorted(path for path, state in after.items() if before.get(path) != state))
    return _report(request, attempt, given, written, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Attempt:
    answer: dict[str, Any]
    completed: Completed
    hang: str


def _attempts(request: ProbeRequest, runner: Runs, scratch: Path, end: float) -> tuple[_Attempt, dict[str, str]]:
    """Import again with one more made-up value, as long as the failure asks for one."""
    given: dict[str, str] = {}
    attempt = _attempt(request, runner, scratch, given, end - time.monotonic())
    for _ in range(MOST_TRIES):
        more = _more_placeholders(request, attempt, given, scratch)
        left = end - time.monotonic()
        if not more or left < 0.5:
            break
        given.update(more)
        attempt = _attempt(request, runner, scratch, given, left)
    return attempt, given


def _more_placeholders(
    request: ProbeRequest, attempt: _Attempt, given: dict[str, str], scratch: Path
) -> dict[str, str]:
    answer = attempt.answer
    if answer.get("stage") != "failed":
        return {}
    asked = missing_variables(answer, request.known)
    new = [name for name in asked if name not in given and name not in request.variables]
    if new:
        # A sentence may name several; those that reading found are surely variables.
        known = [name for name in new if name in request.known] or new
        return {name: placeholder(name, scratch) for name in (known if not answer.get("environ") else new)}
    text = str(answer.get("text", ""))
    others = {name: other_placeholder(name, value, text, scratch) for name, value in reversed(given.items())}
    return next(({name: value} for name, value in others.items() if value is not None), {})


def _attempt(request: ProbeRequest, runner: Runs, scratch: Path, given: Mapping[str, str], seconds: float) -> _Attempt:
    place = Path(tempfile.mkdtemp(prefix="try-", dir=scratch))
    program, asked = place / "probe_child.py", place / "request.json"
    shutil.copyfile(Path(__file__).with_name("probe_child.py"), program)
    asked.write_text(json.dumps(_question(request, place, scratch, seconds)), "utf-8")
    folder = request.source / request.folder
    command = Command((str(request.python), "-X", "utf8", "-u", str(program), str(asked)), folder=str(folder))
    completed = runner.run(command, timeout=seconds, environment=_environment(request, scratch, given))
    return _Attempt(_read(place / "answer.json"), completed, _text(place / "hang.txt"))


def _question(request: ProbeRequest, place: Path, scratch: Path, seconds: float) -> dict[str, Any]:
    paths = [request.folder, *request.import_paths]
    return {
        "root": str(request.source),
        "ref": request.ref,
        "paths": list(dict.fromkeys(str((request.source / path).resolve()) for path in paths)),
        "answer": str(place / "answer.json"),
        "hang": str(place / "hang.txt"),
        "scratch": str(scratch),
        "isolate": request.isolate,
        "deadline": seconds,
        "try_pages": request.try_pages,
        "page_seconds": min(PAGE_SECONDS, seconds / 3),
        "pages_seconds": seconds / 2,
        "most_pages": MOST_PAGES,
    }


def _environment(request: ProbeRequest, scratch: Path, given: Mapping[str, str]) -> dict[str, str]:
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    made = {name: value for name in _PASSED_ON if (value := request.inherited.get(name)) is not None}
    made.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    made.update(HOME=str(home), TMPDIR=str(scratch), TEMP=str(scratch), TMP=str(scratch))
    # Compiled files may be written: those of the environment make the server start faster, the copy's are thrown away.
    made.update(PYTHONNOUSERSITE="1", PYTHONIOENCODING="utf-8:replace")
    return {**made, **request.variables, **given}


def _read(path: Path) -> dict[str, Any]:
    try:
        answer = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _report(
    request: ProbeRequest, attempt: _Attempt, given: Mapping[str, str], written: tuple[str, ...], seconds: float
) -> ProbeReport:
    answer = attempt.answer
    status, message = _verdict(request, attempt)
    missing = missing_variables(answer, request.known) if status == "missing-variable" else []
    return ProbeReport(
        status=status,
        ref=request.ref,
        interface=answer.get("interface"),
        flask=answer.get("flask"),
        python=answer.get("python"),
        import_name=answer.get("import_name"),
        routes=tuple(_route(one) for one in answer.get("routes", ())),
        static_url=answer.get("static_url"),
        static_files=tuple(answer.get("static_files", ())),
        async_views=bool(answer.get("async_views")),
        extensions=tuple(answer.get("extensions", ())),
        debug=bool(answer.get("debug")),
        opened=_opened(request, answer),
        pages=tuple(PageTry(path, code) for path, code in answer.get("pages", ())),
        commands=tuple(answer.get("commands", ())),
        message=message,
        traceback="\n".join([*answer.get("frames", ()), *_last_line(answer)]),
        missing=next(iter(missing), None) or answer.get("module"),
        placeholders=tuple(given),
        written=written,
        output=attempt.completed.lines[-20:],
        notes=_notes(request, attempt),
        seconds=round(seconds, 3),
    )


def _verdict(request: ProbeRequest, attempt: _Attempt) -> tuple[ProbeStatus, str]:
    answer, completed = attempt.answer, attempt.completed
    if answer.get("stage") == "app":
        return answer["status"], _app_message(request, answer)
    if answer.get("stage") == "failed":
        return _failure_status(request, answer), sentence(answer)
    if completed.timed_out:
        place = hang_place(attempt.hang, str(request.source.resolve()))
        where = f" (it hangs at {place})" if place else ""
        return "timeout", f"importing it did not end within {request.deadline:g} seconds{where}"
    if completed.code < 0:
        return "crashed", f"importing it crashes Python with {_signal_name(-completed.code)}"
    if completed.code in (126, 127) and not answer:
        return "crashed", f"its Python cannot be started: {' '.join(completed.err[-1:])}"
    return "exited", f"importing it ends the process with exit code {completed.code}"


def _failure_status(request: ProbeRequest, answer: dict[str, Any]) -> ProbeStatus:
    kind = answer.get("kind")
    if kind == "no-app":
        return "no-app"
    if kind == "exit":
        return "exited"
    return "missing-variable" if missing_variables(answer, request.known) else "import-error"


def _app_message(request: ProbeRequest, answer: dict[str, Any]) -> str:
    if answer["status"] == "no-app":
        return str(answer["message"])
    if answer["status"] == "no-routes":
        return f"{request.ref} is a Flask app without any route of its own"
    kind = "a Flask app" if answer.get("is_flask") else f"an {answer['interface'].upper()} callable"
    count = len(answer.get("routes", ()))
    return f"{request.ref} is {kind}" + (f" with {count} routes" if count else "")


def _last_line(answer: dict[str, Any]) -> list[str]:
    if answer.get("stage") != "failed" or answer.get("kind") == "no-app":
        return []
    return [f"{answer.get('type')}: {answer.get('text')}"]


def _route(one: dict[str, Any]) -> Route:
    arguments, methods = tuple(one["arguments"]), tuple(one["methods"])
    return Route(one["rule"], methods, one["endpoint"], arguments, bool(one["asynchronous"]))


def _opened(request: ProbeRequest, answer: dict[str, Any]) -> tuple[Opened, ...]:
    copy, project = str(request.source.resolve()), str(request.project or request.source)
    found = [(engine, address, name) for engine, address, name in answer.get("opened", ())]
    return tuple(
        dict.fromkeys(Opened(e, a, n.replace(copy, project, 1) if n.startswith(copy) else n) for e, a, n in found)
    )


def _notes(request: ProbeRequest, attempt: _Attempt) -> tuple[str, ...]:
    notes = [str(note) for note in attempt.answer.get("notes", ())]
    if request.isolate and attempt.answer and not attempt.answer.get("isolated"):
        notes.append("this machine could not cut the probe off from the network")
    if attempt.answer.get("stage") == "app" and attempt.completed.timed_out:
        notes.append("trying its pages did not end in time")
    return tuple(dict.fromkeys(notes))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
