"""Run any other command of the app as the server runs the app: `python -m flask_carboy.exec COMMAND [ARGUMENT ...]`.

The command gets the variables of NAME_FILE, the import paths and FLASK_APP. Where CARBOY_DATABASES_REPORT is set,
Python programs of this environment run inside this process, so that the databases they use are seen.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import List, MutableMapping, Optional, Sequence

from flask_carboy import names, wrap
from flask_carboy.databases import RECORDER
from flask_carboy.errors import StartFault, say
from flask_carboy.loading import parse
from flask_carboy.settings import Settings


def main(words: Optional[Sequence[str]] = None) -> int:
    """Run the command; its exit code, or 127 and 126 as from a shell where it cannot be run."""
    command = list(sys.argv[1:] if words is None else words)
    if not command:
        say("name a command: python -m flask_carboy.exec COMMAND [ARGUMENT ...]")
        return 2
    # What -m put there; the command's own kind of start decides whether the working directory is searched.
    with contextlib.suppress(ValueError):
        sys.path.remove(str(Path.cwd()))
    try:
        complete(os.environ, wrap.prepare())
    except StartFault:
        return 2
    report = os.environ.get(names.DATABASES_REPORT)
    if report and _run_here(command, Path(report)):
        return 0
    return _replace(command)


def complete(environ: MutableMapping[str, str], settings: Settings) -> None:
    """Add to `environ` what makes other programs see the app as the server does."""
    environ["PYTHONPATH"] = _joined(settings.import_paths, environ.get("PYTHONPATH", ""))
    environ["PATH"] = _joined((str(Path(sys.executable).parent),), environ.get("PATH", os.defpath))
    if settings.app and settings.interface == "wsgi" and "FLASK_APP" not in environ:
        environ["FLASK_APP"] = flask_reference(settings.app)
    # The server does not read .env and .flaskenv either: one environment for both, made by who starts us.
    environ.setdefault("FLASK_SKIP_DOTENV", "1")


def flask_reference(text: str) -> str:
    """`text` itself where every Flask understands it, else the name under which we hand the app over."""
    try:
        reference = parse(text)
    except StartFault as fault:
        say(str(fault))
        raise
    named = reference.arguments is not None and bool(reference.arguments[1])
    return "flask_carboy.located:app" if named or len(reference.attributes) > 1 else text


def _joined(first: Sequence[str], rest: str) -> str:
    return os.pathsep.join(dict.fromkeys([*first, *(part for part in rest.split(os.pathsep) if part)]))


def _run_here(words: Sequence[str], report: Path) -> bool:
    from flask_carboy.python_command import find

    run = find(words)
    if run is None:
        return False
    RECORDER.watch_clients()
    try:
        run()
    finally:
        # In every case, and while the frames of a failure still hold the command's objects.
        _write(report)
    return True


def _write(report: Path) -> None:
    content = {"schema": names.SCHEMA, "databases": RECORDER.databases()}
    beside = report.with_name(f"{report.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(report)
    except OSError as error:
        say(f"the report of databases cannot be written: {report}: {error.strerror}")


def _replace(words: List[str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(words[0], words, os.environ)  # noqa: S606 - to become the command is the purpose
    except FileNotFoundError:
        say(f"{words[0]}: there is no such program")
        return 127
    except OSError as error:
        say(f"{words[0]}: {error.strerror}")
        return 126


if __name__ == "__main__":
    sys.exit(main())
