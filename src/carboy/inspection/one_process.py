"""Why exactly one worker process may be right: state that lives in the process, or work that each would repeat."""

import ast
import re
from collections.abc import Iterator

from carboy.inspection.code import Code, constant_text, keyword
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.symbols import Frame, symbols_of
from carboy.inspection.values import External, Project
from carboy.model.facts import AppFact, Place

_MEMORY = re.compile(r"sqlite(\+\w+)?://(/:memory:|/?\Z)|\A:memory:\Z|file::memory:")
_SCHEDULERS = {
    "apscheduler.schedulers.background.BackgroundScheduler": "a scheduler starts in every worker",
    "apscheduler.schedulers.gevent.GeventScheduler": "a scheduler starts in every worker",
    "flask_apscheduler.APScheduler": "a scheduler starts in every worker",
    "apscheduler.schedulers.asyncio.AsyncIOScheduler": "a scheduler starts in every worker",
    "apscheduler.scheduler.Scheduler": "a scheduler starts in every worker",
}
_CACHES = {"simple", "simplecache", "flask_caching.backends.simplecache", "flask_caching.backends.simple"}


def one_process_reasons(index: Index, app: AppFact) -> list[tuple[str, Place]]:
    """Each reason in words, with its place; none where several workers are right."""
    found = [each for code in production_codes(index, app) for each in _in_code(index, code)]
    return list({words: (words, place) for words, place in reversed(found)}.values())[::-1]


def _in_code(index: Index, code: Code) -> Iterator[tuple[str, Place]]:
    text = code.text
    if "memory" in text or "sqlite" in text:
        yield from _memory_databases(index, code)
    if "chedul" in text:
        yield from _schedulers(index, code)
    if "SocketIO" in text:
        yield from _sockets(index, code)
    if "ache" in text:
        yield from _caches(code)
    if "Thread" in text:
        yield from _threads(index, code)


def _memory_databases(index: Index, code: Code) -> Iterator[tuple[str, Place]]:
    classes = [each for each in code.definitions if isinstance(each, ast.ClassDef)]
    for node in _whole_values(index, code):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _MEMORY.search(node.value):
            owner = next((each.name for each in classes if each.lineno <= node.lineno <= (each.end_lineno or 0)), "")
            if not re.search(r"test|debug|dev", owner, re.IGNORECASE) and not _about_tests(index, code, node):
                yield "the database lives in one process's memory", Place(code.path, node.lineno)


_OPENERS = ("connect", "create_engine", "SqliteDatabase", "SqliteExtDatabase", "SQLAlchemy", "Database", "Dataset")


def _whole_values(index: Index, code: Code) -> Iterator[ast.expr | None]:
    """What is assigned, given by name or opened as it stands: not the parts that addresses are put together from."""
    module = index.module(code.path)
    yield from (each.value for each in code.assigns)
    for node in module.of(ast.Dict) if module else ():
        yield from node.values
    for call in code.calls:
        yield from (each.value for each in call.keywords)
        if code.dotted(call.func).rsplit(".", 1)[-1] in _OPENERS:
            yield from call.args[:1]


def _about_tests(index: Index, code: Code, node: ast.Constant) -> bool:
    line, module = node.lineno, index.module(code.path)
    around = [each for each in code.definitions if each.lineno <= line <= (each.end_lineno or 0)]
    return any("test" in each.name.lower() for each in around) or any(
        each.lineno <= line <= (each.end_lineno or 0) and "test" in ast.unparse(each.test).lower()
        for each in (module.of(ast.If) if module else ())
    )


def _schedulers(index: Index, code: Code) -> Iterator[tuple[str, Place]]:
    symbols = symbols_of(index)
    for call in code.calls:
        value = (
            symbols.evaluate(call.func, Frame(code.path)) if isinstance(call.func, ast.Name | ast.Attribute) else None
        )
        words = _SCHEDULERS.get(value.name, "") if isinstance(value, External) and not value.made else ""
        if words and not code.in_main_guard(call):
            yield words, Place(code.path, call.lineno)


def _sockets(index: Index, code: Code) -> Iterator[tuple[str, Place]]:
    symbols = symbols_of(index)
    queued = any(
        keyword(call, "message_queue") is not None or (call.args and constant_text(call.args[0]) == "message_queue")
        for call in code.calls
    )
    for call in code.calls:
        value = (
            symbols.evaluate(call.func, Frame(code.path)) if isinstance(call.func, ast.Name | ast.Attribute) else None
        )
        made = isinstance(value, External) and value.name == "flask_socketio.SocketIO"
        if made and not queued and not _queue_elsewhere(index):
            yield "Socket.IO has no message queue between processes", Place(code.path, call.lineno)


def _queue_elsewhere(index: Index) -> bool:
    return any("message_queue" in module.text and "SocketIO" not in module.text for module in index.modules())


def _caches(code: Code) -> Iterator[tuple[str, Place]]:
    for call in code.calls:
        given = keyword(call, "CACHE_TYPE")
        if given is not None and (constant_text(given) or "").lower() in _CACHES:
            yield "the cache is one process's own", Place(code.path, call.lineno)
        if code.dotted(call.func).endswith((".SimpleCache", "cachelib.SimpleCache")):
            yield "the cache is one process's own", Place(code.path, call.lineno)
    for place, name, value in _settings(code):
        if name == "CACHE_TYPE" and (constant_text(value) or "").lower() in _CACHES:
            yield "the cache is one process's own", place


def _settings(code: Code) -> Iterator[tuple[Place, str, ast.expr]]:
    """NAME = value, config["NAME"] = value and {"NAME": value}."""
    for statement in code.assigns:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            name = target.id if isinstance(target, ast.Name) else None
            if isinstance(target, ast.Subscript):
                name = constant_text(target.slice)
            if name and statement.value is not None:
                yield Place(code.path, statement.lineno), name, statement.value
            if isinstance(statement.value, ast.Dict):
                yield from _entries(code, statement.value)
    for call in code.calls:
        for part in [*call.args, *(each.value for each in call.keywords)]:
            if isinstance(part, ast.Dict):
                yield from _entries(code, part)


def _entries(code: Code, node: ast.Dict) -> Iterator[tuple[Place, str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        name = constant_text(key)
        if name:
            yield Place(code.path, value.lineno), name, value


def _threads(index: Index, code: Code) -> Iterator[tuple[str, Place]]:
    """A thread that is started while the module is imported works once in every worker."""
    symbols = symbols_of(index)
    for call in code.calls:
        if code.function_of(call) is not None or code.in_main_guard(call):
            continue
        callee = call.func if isinstance(call.func, ast.Name | ast.Attribute) else None
        value = symbols.evaluate(callee, Frame(code.path)) if callee is not None else None
        if not isinstance(value, External) or value.name not in {"threading.Thread", "threading.Timer"}:
            continue
        target = keyword(call, "target")
        task = symbols.evaluate(target, Frame(code.path)) if target is not None else None
        if isinstance(task, Project) and any(isinstance(node, ast.While) for node in ast.walk(task.node)):
            yield "a background thread starts in every worker", Place(code.path, call.lineno)
