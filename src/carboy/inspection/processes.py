"""Processes beside the web server: what launch files start, and what the code needs though no file starts it."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import constant_text, is_decoy
from carboy.inspection.command_lines import Words, split_commands
from carboy.inspection.index import Index, Module
from carboy.inspection.launch_files import Line, lines_of
from carboy.inspection.launchers import SERVER_NAMES
from carboy.inspection.roots import roots_of
from carboy.inspection.routes import outer_nodes, routes_of
from carboy.inspection.symbols import Frame, symbols_of
from carboy.inspection.values import External, Project
from carboy.model.facts import Place, ProcessFact

_KINDS = ("procfile", "systemd", "supervisor", "platform", "compose", "dockerfile", "script", "make", "tasks", "readme")
# Names in a Procfile that are no processes of production's: web is the app, release runs before it.
_NOT_BESIDE = {"web", "release", "init", "dev", "assets", "css", "tailwind", "webpack", "frontend", "watch"}
_SCHEDULERS = {"beat", "scheduler", "clock", "cron"}


@dataclass(frozen=True)
class _Started:
    """One command of a launch file that starts a worker or a scheduler."""

    role: str
    name: str
    command: str
    once: bool
    line: Line


def find_processes(index: Index) -> tuple[ProcessFact, ...]:
    """Every process that production needs besides web."""
    found: dict[str, ProcessFact] = {}
    roles: set[str] = set()
    for kind in _KINDS:
        started = _of_kind(index, kind)
        fresh = [each for each in started if each.role not in roles]
        for each in fresh:
            _add(found, each.name, each.command, each.once, Place(each.line.file, each.line.number))
        roles |= {each.role for each in fresh}
    for role, command, once, place in _derived(index):
        if role not in roles:
            roles.add(role)
            _add(found, role.rpartition(":")[2], command, once, place)
    return tuple(found.values())


def _add(found: dict[str, ProcessFact], name: str, command: str, once: bool, place: Place) -> None:
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "worker"
    if any(process.command == command for process in found.values()):
        return
    number = 2
    while label in found:
        label = f"{label.rstrip('0123456789-')}-{number}"
        number += 1
    found[label] = ProcessFact(label, command, once, (place,))


# ------------------------------------------------------------------ launch files


def _of_kind(index: Index, kind: str) -> list[_Started]:
    lines = [line for line in lines_of(index) if line.kind == kind and not _for_developers(line)]
    if kind in {"readme", "make", "tasks", "script"}:
        lines.sort(key=lambda line: -line.weight)
    found: list[_Started] = []
    for line in lines:
        for each in _in_line(line):
            known = [other for other in found if other.role == each.role]
            loose = kind in {"readme", "make", "tasks", "script", "dockerfile"}
            if not known or (not loose and known[0].line.file == each.line.file):
                found.append(each)
    return found


def _for_developers(line: Line) -> bool:
    name = line.file.rsplit("/", 1)[-1].lower()
    return bool(re.search(r"dev|test|local|windows|ci\b", name)) or (is_decoy(line.file) and line.kind != "readme")


def _in_line(line: Line) -> Iterator[_Started]:
    commands = split_commands(line.text)
    workers = [(words, role) for words in commands if (role := role_of(words))]
    for words, role in workers:
        whole = line.text if line.kind == "procfile" and len(commands) == 1 else _text(words)
        named = line.name if line.kind in {"procfile", "systemd", "supervisor", "compose"} else ""
        yield _Started(role, named or role.rpartition(":")[2], whole, _once(words, role), line)
    other = line.kind == "procfile" and not workers and line.name not in _NOT_BESIDE and commands
    if other and commands[-1].program not in {*SERVER_NAMES, "npm", "yarn", "npx"} - {"flask"}:
        once = any(word in line.name for word in _SCHEDULERS)
        yield _Started(f"own:{line.name}", line.name, line.text, once, line)


def _text(words: Words) -> str:
    """The command alone, with what was set for it; not with whole environments of the file."""
    return re.sub(r"'(\$\{?\w+\}?)'", r"\1", shlex.join(words.all))


def role_of(words: Words) -> str | None:
    """`family:role` of a worker's or scheduler's command, None for any other."""
    program, arguments = words.program.removesuffix(".exe"), words.arguments
    match program:
        case "celery":
            return next((f"celery:{each}" for each in ("worker", "beat") if each in arguments), None)
        case "rq" | "rqworker":
            return "rq:worker" if program == "rqworker" or "worker" in arguments or "worker-pool" in arguments else None
        case "rqscheduler":
            return "rq:scheduler"
        case "huey_consumer" | "huey_consumer.py" | "huey.bin.huey_consumer":
            return "huey:worker"
        case "dramatiq" | "dramatiq-gevent":
            return "dramatiq:worker" if arguments else None
        case "arq":
            return "arq:worker"
        case "periodiq" | "taskiq":
            return f"{program}:worker"
        case "flask" if "rq" in arguments[:3] and ("worker" in arguments or "scheduler" in arguments):
            return "rq:worker" if "worker" in arguments else "rq:scheduler"
    return None


def _once(words: Words, role: str) -> bool:
    """A scheduler must run once; so must a Celery worker with the scheduler inside (`-B`)."""
    embedded = words.program == "celery" and bool({"-B", "--beat"} & set(words.arguments))
    return role.rpartition(":")[2] in _SCHEDULERS or embedded or "--with-scheduler" in words.arguments


# ------------------------------------------------------------------ from the code


def _derived(index: Index) -> Iterator[tuple[str, str, bool, Place]]:
    yield from _celery(index)
    yield from _huey(index)
    yield from _dramatiq(index)
    yield from _rq(index)
    yield from _blocking_schedulers(index)


def _own(index: Index, word: str) -> Iterator[Module]:
    return (module for module in index.modules() if module.tree and word in module.text and not is_decoy(module.path))


def _celery(index: Index) -> Iterator[tuple[str, str, bool, Place]]:
    modules = list(_own(index, "elery"))
    if _is_optional(modules, "celery"):
        return
    objects = [found for module in modules for found in _celery_objects(index, module)]
    if not objects:
        return
    objects.sort(key=lambda found: (not found[2], found[0].count("."), found[1].file))
    reference, place, _ = objects[0]
    yield "celery:worker", f"celery -A {reference} worker --loglevel INFO", False, place
    scheduled = next((found for module in modules if (found := _beat(module))), None)
    if scheduled:
        yield "celery:beat", f"celery -A {reference} beat --loglevel INFO", True, scheduled


def _is_optional(modules: list[Module], package: str) -> bool:
    """Whether every import of the package may fail: `try: import ... except ImportError`."""
    imports = [(module, node) for module in modules for node in _import_nodes(module, package)]
    return bool(imports) and all(
        any(
            attempt.handlers and attempt.lineno <= node.lineno <= (attempt.end_lineno or 0)
            for attempt in module.of(ast.Try)
        )
        for module, node in imports
    )


def _import_nodes(module: Module, package: str) -> Iterator[ast.Import | ast.ImportFrom]:
    yield from (node for node in module.of(ast.ImportFrom) if (node.module or "").split(".")[0] == package)
    yield from (node for node in module.of(ast.Import) if any(a.name.split(".")[0] == package for a in node.names))


def _celery_objects(index: Index, module: Module) -> Iterator[tuple[str, Place, bool]]:
    """Module-level Celery objects as references; True for one that is made with the Flask app around it."""
    symbols = symbols_of(index)
    name = roots_of(index).module_name(module.path)
    for bound, bindings in symbols.scope_of(module.path).names.items():
        binding = bindings[-1]
        if "." in bound or binding.guard or not isinstance(binding.value, ast.expr):
            continue
        place = Place(module.path, binding.line)
        if isinstance(binding.value, ast.Subscript) and constant_text(binding.value.slice) == "celery":
            yield name, place, True
            continue
        value = symbols.member(module.path, bound)
        if (
            isinstance(value, External)
            and value.made
            and value.name in {"celery.Celery", "flask_celeryext.FlaskCeleryExt"}
        ):
            reference = name if bound in {"celery", "app"} and name.endswith("celery") else f"{name}.{bound}"
            around = isinstance(binding.value, ast.Call) and isinstance(
                symbols.evaluate(binding.value.func, Frame(module.path)), Project
            )
            yield reference, place, around


def _beat(module: Module) -> Place | None:
    words = ("beat_schedule", "CELERYBEAT_SCHEDULE", "CELERY_BEAT_SCHEDULE", "add_periodic_task", "periodic_task")
    if not any(word in module.text for word in words):
        return None
    for node in [*module.of(ast.Name), *module.of(ast.Attribute), *module.of(ast.keyword), *module.of(ast.Constant)]:
        name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
        if (name or getattr(node, "value", None)) in words:
            return Place(module.path, getattr(node, "lineno", None))
    return None


def _huey(index: Index) -> Iterator[tuple[str, str, bool, Place]]:
    """Huey's consumer, given the object where all tasks are imported as well: an entry module, if there is one."""
    modules = list(_own(index, "uey"))
    made = [(module, *found) for module in modules for found in _made_names(index, module) if _is_huey(found[2])]
    if not made:
        return
    home, bound, place, _ = made[0]
    reach = routes_of(index).reach
    tasks = {module.path for module in modules if re.search(rf"@{bound}\.|{bound}\.(periodic_)?task", module.text)}
    entries = [module for module in modules if bound in symbols_of(index).scope_of(module.path).names]
    whole = [module for module in [home, *entries] if tasks <= reach(module.path)]
    chosen = whole[0] if whole else home
    yield "huey:worker", f"huey_consumer {_entry(index, chosen.path)}.{bound}", False, place


def _is_huey(name: str) -> bool:
    return name.startswith("huey.") and name.endswith("Huey")


def _entry(index: Index, path: str) -> str:
    return roots_of(index).module_name(path)


def _dramatiq(index: Index) -> Iterator[tuple[str, str, bool, Place]]:
    for module in _own(index, "dramatiq"):
        for node in [*module.of(ast.FunctionDef), *module.of(ast.AsyncFunctionDef)]:
            for each in getattr(node, "decorator_list", ()):
                if ast.unparse(each).startswith(("dramatiq.actor", "actor")):
                    place = Place(module.path, getattr(node, "lineno", None))
                    yield "dramatiq:worker", f"dramatiq {_entry(index, module.path)}", False, place
                    return


def _rq(index: Index) -> Iterator[tuple[str, str, bool, Place]]:
    """Flask-RQ2's own command, else the project's worker script, else RQ's command for the queue that is filled."""
    modules = [module for module in _own(index, "rq") if _imports(module, "rq") or "flask_rq2" in module.text]
    for look in (_flask_rq, _rq_script, _rq_queue):
        found = next((each for module in modules if (each := look(index, module))), None)
        if found:
            yield "rq:worker", found[0], False, found[1]
            return


def _flask_rq(index: Index, module: Module) -> tuple[str, Place] | None:
    made = (place for _, place, name in _made_names(index, module) if name == "flask_rq2.RQ")
    return next((("flask rq worker", place) for place in made), None)


def _rq_script(index: Index, module: Module) -> tuple[str, Place] | None:
    for node in module.of(ast.Call):
        if "__main__" in module.text and _called(node).endswith("Worker"):
            return f"python {_script(index, module.path)}", Place(module.path, node.lineno)
    return None


def _rq_queue(_index: Index, module: Module) -> tuple[str, Place] | None:
    for node in module.of(ast.Call):
        if _called(node) == "Queue":
            queue = constant_text(node.args[0]) if node.args else None
            return f"rq worker --url $REDIS_URL {queue or 'default'}", Place(module.path, node.lineno)
    return None


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _made_names(index: Index, module: Module) -> Iterator[tuple[str, Place, str]]:
    symbols = symbols_of(index)
    for bound, bindings in symbols.scope_of(module.path).names.items():
        if "." not in bound and isinstance(bindings[-1].value, ast.Call):
            value = symbols.member(module.path, bound)
            if isinstance(value, External) and value.made:
                yield bound, Place(module.path, bindings[-1].line), value.name


def _imports(module: Module, package: str) -> bool:
    return next(_import_nodes(module, package), None) is not None


def _script(index: Index, path: str) -> str:
    return path.rsplit("/", 1)[-1] if roots_of(index).root_of(path) else path


def _blocking_schedulers(index: Index) -> Iterator[tuple[str, str, bool, Place]]:
    """A script of its own that runs APScheduler's blocking scheduler, or `schedule` in an endless loop."""
    symbols = symbols_of(index)
    for module in _own(index, "chedule"):
        for node in outer_nodes(module.tree.body if module.tree else ()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                value = symbols.evaluate(node.func, Frame(module.path))
                name = value.name if isinstance(value, External) else ""
                if name.endswith("BlockingScheduler") or (name == "schedule.run_pending" and "while" in module.text):
                    yield "own:scheduler", f"python {module.path}", True, Place(module.path, node.lineno)
                    return
