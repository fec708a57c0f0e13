"""What the facts speak for: partial values of a plan, each with its reason. Pure: no file, clock or environment."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from carboy.model.facts import AppFact, Candidate, Evidence, Facts
from carboy.model.plan import INSIDE, VARIABLE
from carboy.model.probe import ProbeReport
from carboy.model.secret import MASK, Secret, guarded
from carboy.planfile.keys import Path
from carboy.planfile.proposal import Choice, Proposal, chosen, place
from carboy.planfile.propose_server import server_choices
from carboy.planfile.schema import validate

MOST_PAGES: Final = 4
_STATIC_LIKED: Final = (".css", ".js", ".svg", ".png", ".ico", ".jpg", ".webp", ".txt")
_PROCESS_NAME: Final = 31


def propose(facts: Facts, probe: ProbeReport | None, *, system: str = "linux") -> Proposal:
    """Everything that was found worth saying; keys that keep their default are left out, but for the server's."""
    facts = _with_what_was_seen(facts, probe)
    choices = [
        *_app(facts),
        *server_choices(facts, system),
        *_processes(facts),
        *_release(facts),
        *_health(probe),
        *_variables(facts),
    ]
    return Proposal(tuple(choice for choice in choices if _is_sound(choice)))


def _is_sound(choice: Choice) -> bool:
    """Whether the plan takes the value: a project may name a file outside of itself, or a version that is none."""
    nested: Any = list(choice.value) if isinstance(choice.value, tuple) else choice.value
    for part in reversed(choice.path):
        nested = {part: nested}
    return not validate(nested, lambda _: "")


def _with_what_was_seen(facts: Facts, probe: ProbeReport | None) -> Facts:
    """The facts with what only running the app showed: coroutines as views, Socket.IO among its extensions."""
    if probe is None:
        return facts
    socketio = "flask-socketio" if "socketio" in probe.extensions else None
    app = replace(
        facts.app,
        async_views=facts.app.async_views or probe.async_views,
        websocket=facts.app.websocket or socketio,
    )
    return replace(facts, app=app)


def choose(facts: Facts, ref: str | None) -> Facts:
    """The facts with the candidate that someone named as the app, so that its folder and interface hold."""
    if ref is None or ref == facts.app.ref:
        return facts
    named = _candidate(facts, ref)
    if named is None:
        return replace(facts, app=replace(facts.app, ref=ref, command=None, reason="named"))
    app = replace(
        facts.app,
        ref=ref,
        command=None,
        folder=named.folder,
        interface=named.interface,
        factory=named.factory,
        certainty=named.certainty,
        reason=named.reason,
        evidence=named.evidence,
    )
    return replace(facts, app=app)


def _candidate(facts: Facts, ref: str) -> Candidate | None:
    """The candidate of that name; else the same factory with other arguments; else one of the same module."""
    for part in (str, _without_arguments, _module):
        for candidate in facts.app.candidates:
            if part(candidate.ref) == part(ref):
                return candidate
    return None


def _without_arguments(ref: str) -> str:
    return ref.partition("(")[0]


def _module(ref: str) -> str:
    return ref.partition(":")[0]


def _app(facts: Facts) -> Iterator[Choice]:
    app = facts.app
    yield from chosen(("app", "name"), facts.name or None, "the project's own name")
    yield from _served(app)
    if app.interface == "asgi":
        yield Choice(("app", "interface"), "asgi", "the object speaks ASGI", place(app.evidence))
    if app.async_views:
        yield Choice(("app", "async_views"), True, "views are coroutines", place(app.evidence))
    yield from chosen(("app", "websocket"), app.websocket, "long connections", app.evidence)
    yield from chosen(("app", "folder"), app.folder or None, "the app imports from here", app.evidence)
    yield from chosen(("app", "import_paths"), app.import_paths or None, "imported from besides", app.evidence)
    yield from _installed(facts)
    yield from _shared(facts)


def _served(app: AppFact) -> Iterator[Choice]:
    if app.ref is not None:
        yield Choice(("app", "ref"), app.ref, f"{app.reason} ({app.certainty})", place(app.evidence))
    elif app.command is not None:
        yield Choice(("app", "command"), app.command, app.reason, place(app.evidence))


def _installed(facts: Facts) -> Iterator[Choice]:
    needs = facts.dependencies
    if facts.python.version and re.fullmatch(r"\d+\.\d+(\.\d+)?", facts.python.version):
        yield from chosen(("app", "python"), facts.python.version, "named by the project", facts.python.evidence)
    if needs.source is not None:
        yield from chosen(("app", "source"), needs.source, "installs what production needs", needs.evidence)
    elif needs.requirements:
        packages = tuple(f"{each.name}{each.spec}" for each in needs.requirements)
        reason = "no dependency file: the code imports these"
        yield Choice(("app", "packages"), packages, reason, _places(each.evidence for each in needs.requirements))
    if needs.manager != "none":
        yield from chosen(("app", "manager"), needs.manager, "its file is there", needs.evidence)
    if facts.build:
        commands = tuple(_in_folder(each.command, each.folder) for each in facts.build)
        yield Choice(("app", "build"), commands, "a front end is built", place(facts.build[0].evidence))


def _in_folder(command: str, folder: str) -> str:
    """Build steps are one text each: the folder goes in front, for the runner to change to."""
    return command if folder in ("", ".") else f"cd {folder} && {command}"


def _shared(facts: Facts) -> Iterator[Choice]:
    found = [(each.path, each.evidence) for each in facts.data if each.path]
    found += [(each.path, each.evidence) for each in facts.uploads if each.kind != "cache"]
    usable = {path.rstrip("/"): evidence for path, evidence in found if path and re.match(INSIDE, path)}
    usable.pop("", None)
    usable.pop(".", None)
    outer = tuple(path for path in usable if not any(path.startswith(f"{other}/") for other in usable))
    if outer:
        places = [place(usable[path]) for path in outer]
        yield Choice(("app", "shared"), outer, "the app writes here", ", ".join(dict.fromkeys(filter(None, places))))


def _processes(facts: Facts) -> Iterator[Choice]:
    for process in facts.processes:
        name = _process_name(process.name)
        if not name or name in ("web", "release") or not process.command.strip() or MASK in process.command:
            continue
        where = place(process.evidence)
        yield Choice(("processes", name, "command"), process.command, "runs beside the web server", where)
        if process.once:
            yield Choice(("processes", name, "once"), True, "two of it would do everything twice", where)


def left_out(facts: Facts) -> tuple[str, ...]:
    """A sentence for each command that is not proposed because a secret stands in it."""
    found = [
        *((f"process {each.name}", each.command) for each in facts.processes),
        *(("release command", each.command) for each in facts.release_commands),
    ]
    return tuple(
        f"{what} `{command}` is left out: a secret stands in it; put the value into .env and write $NAME"
        for what, command in found
        if MASK in command
    )


def _process_name(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (plain if plain[:1].isalpha() or not plain else f"p{plain}")[:_PROCESS_NAME].rstrip("-")


def _release(facts: Facts) -> Iterator[Choice]:
    commands: dict[str, Evidence] = {}
    if facts.migrations is not None:
        commands[facts.migrations.command] = facts.migrations.evidence
    initial: dict[str, Evidence] = {}
    for each in facts.release_commands:
        if MASK in each.command:
            continue
        (initial if each.once else commands).setdefault(each.command, each.evidence)
    for command in commands:
        initial.pop(command, None)
    yield from _commands("commands", commands, "prepares the data for each release")
    yield from _commands("initial", initial, "loses data or fails when it is repeated")


def _commands(key: str, found: dict[str, Evidence], reason: str) -> Iterator[Choice]:
    if found:
        places = dict.fromkeys(filter(None, (place(evidence) for evidence in found.values())))
        yield Choice(("release", key), tuple(found), reason, ", ".join(places))


def _health(probe: ProbeReport | None) -> Iterator[Choice]:
    if probe is None:
        return
    pages = _good_pages(probe)
    if pages:
        tried = ", ".join(f"{path} answered {status}" if status else f"{path} raised" for path, status in pages)
        yield Choice(("health", "pages"), tuple(path for path, _ in pages), f"on a scratch database {tried}", "")
    static = _static_page(probe)
    if static is not None:
        yield Choice(("health", "static"), static, "a file of the app's static folder", "")


def _good_pages(probe: ProbeReport) -> list[tuple[str, int]]:
    """Pages that answered 2xx, else 3xx; data pages before `/`, which often needs no database at all.

    The front page is asked even where it failed: on a scratch database it may have missed its tables, and a site
    whose front page fails after the release commands is not up.
    """
    tried = [(each.path, each.status or 0) for each in probe.pages if re.fullmatch(r"/\S*", each.path)]
    usable = [(path, status) for path, status in tried if 200 <= status < 400]
    best = sorted(dict.fromkeys(usable), key=lambda page: (page[1] >= 300, _dull(page[0])))
    full = [page for page in best if page[1] < 300]
    front = [(path, status) for path, status in tried if path == "/" and (status == 0 or status >= 500)]
    return [*front, *(full or best)][:MOST_PAGES]


def _dull(path: str) -> int:
    """0 for a page that likely reads data, 1 for the front page, 2 for pages that never do."""
    if re.search(r"about|contact|imprint|privacy|terms|login|signin|signup|register|swagger|docs|openapi|ping", path):
        return 2
    return 1 if path == "/" else 0


def _static_page(probe: ProbeReport) -> str | None:
    liked = [
        file for ending in _STATIC_LIKED for file in probe.static_files if file.endswith(ending) and " " not in file
    ]
    if not liked:
        return None
    if liked[0].startswith("/"):
        return liked[0]
    return f"{(probe.static_url or '/static').rstrip('/')}/{liked[0]}"


def _variables(facts: Facts) -> Iterator[Choice]:
    secrets: dict[str, Evidence] = {}
    for variable in facts.variables:
        if not re.match(VARIABLE, variable.name):
            continue
        hidden = variable.secret or (
            variable.suggestion is not None and isinstance(guarded(variable.name, variable.suggestion), Secret)
        )
        if hidden:
            secrets[variable.name] = variable.evidence
        elif variable.suggestion is not None:
            path: Path = ("variables", variable.name)
            yield Choice(
                path, variable.suggestion, "production's value, as the project reads it", place(variable.evidence)
            )
    if secrets:
        yield Choice(("secrets",), tuple(secrets), "read by the app, and secret", _places(secrets.values()))


def _places(found: Iterable[Evidence]) -> str:
    return ", ".join(dict.fromkeys(filter(None, (place(evidence) for evidence in found))))
