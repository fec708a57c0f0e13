"""Where the project's own code starts a server: at import, as the main program, or inside a function."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from carboy.inspection.code import Function, argument, is_decoy, keyword
from carboy.inspection.index import Index, Module
from carboy.inspection.scopes import run_statements
from carboy.inspection.symbols import Frame, Symbols, symbols_of
from carboy.inspection.values import App, External, Project, Value
from carboy.model.facts import Place

Where = Literal["import", "main", "function"]
# Functions and classes of installed servers that block, and which argument is the app.
SERVERS = {
    "waitress.serve": 0,
    "uvicorn.run": 0,
    "werkzeug.serving.run_simple": 2,
    "wsgiref.simple_server.make_server": 2,
    "gevent.pywsgi.WSGIServer": 1,
    "gevent.wsgi.WSGIServer": 1,
    "eventlet.wsgi.server": 1,
    "cheroot.wsgi.Server": 1,
    "cherrypy.wsgiserver.CherryPyWSGIServer": 1,
    "bjoern.run": 0,
    "hypercorn.asyncio.serve": 0,
    "livereload.Server": 0,
    "tornado.wsgi.WSGIContainer": 0,
    "paste.httpserver.serve": 0,
    "granian.Granian": 0,
    "fastwsgi.run": 0,
    "meinheld.server.run": 0,
    "twisted.web.wsgi.WSGIResource": 2,
    "aiohttp_wsgi.WSGIHandler": 0,
}


@dataclass(frozen=True)
class Run:
    """One call that starts a server. `app` is what it serves, `debug` whether it asks for Flask's debugger.

    `given` is what the function around it got for its parameters, where the app comes by one of them.
    """

    place: Place
    where: Where
    function: Function | None
    app: App | None
    library: str
    debug: bool
    call: ast.Call
    given: Mapping[str, Value] = field(default_factory=dict, compare=False)


def find_runs(index: Index) -> tuple[Run, ...]:
    """Every call that starts a server, file by file."""
    symbols = symbols_of(index)
    return tuple(run for module in index.modules() if _may_run(module) for run in _runs(symbols, module))


def runs_of(index: Index) -> tuple[Run, ...]:
    """The shared list of one index."""
    return index.derived(find_runs)


def _may_run(module: Module) -> bool:
    return any(word in module.text for word in ("run(", "serve", "Server", "make_server", "Granian", "wsgi", "run_"))


def _runs(symbols: Symbols, module: Module) -> list[Run]:
    found = []
    functions = _function_ranges(module)
    guarded = _guarded_lines(module)
    for node in module.of(ast.Call):
        if not isinstance(node.func, ast.Attribute | ast.Name) or not _speaks_of_running(node.func):
            continue
        function = next((each for each in functions if each.lineno <= node.lineno <= (each.end_lineno or 0)), None)
        frame = Frame(module.path)
        if function is not None:
            frame = symbols.frame_of(Project(module.path, function), _given(symbols, module, function, node))
        run = _run(symbols, node, frame, function, in_main=node.lineno in guarded)
        if run:
            found.append(run)
    return found


def _given(symbols: Symbols, module: Module, function: Function, node: ast.Call) -> Mapping[str, Value]:
    """What the project gives to a function that runs one of its parameters."""
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    parameters = {each.arg for each in arguments}
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    if not parameters & used:
        return {}
    wanted = Project(module.path, function)
    for other in symbols.index.modules():
        for call in other.of(ast.Call) if function.name in other.text and not is_decoy(other.path) else ():
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if called == function.name and symbols.evaluate(call.func, Frame(other.path)) == wanted:
                return symbols.given(wanted, call, Frame(other.path))
    return {}


def _speaks_of_running(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in _RUNNING_NAMES


_RUNNING_NAMES = {"run", "run_server", "run_simple"} | {name.rsplit(".", 1)[-1] for name in SERVERS}


def _run(
    symbols: Symbols,
    node: ast.Call,
    frame: Frame,
    function: Function | None,
    *,
    in_main: bool,
) -> Run | None:
    if function is None and in_main:
        app, library = _served(symbols, node, frame, main=True)
    else:
        app, library = _served(symbols, node, frame, main=False)
    if not library:
        return None
    where: Where = "function" if function is not None else ("main" if in_main else "import")
    return Run(Place(frame.file, node.lineno), where, function, app, library, _asks_debug(node), node, frame.given)


def _served(symbols: Symbols, node: ast.Call, frame: Frame, *, main: bool) -> tuple[App | None, str]:
    """The app a call serves, and the library that serves it ("" where the call is none of these)."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"run", "run_server"}:
        base = node.func.value
        app = symbols.main_name(base, frame) if main else symbols.evaluate(base, frame)
        if isinstance(app, App):
            return app, "flask"
        if isinstance(app, External) and app.name.endswith(("SocketIO", "flask_script.Manager", "AppBuilder")):
            return _argument(symbols, node, 0, frame, main=main), app.name
    callee = symbols.evaluate(node.func, frame)
    if isinstance(callee, External) and callee.name in SERVERS:
        return _argument(symbols, node, SERVERS[callee.name], frame, main=main), callee.name
    return None, ""


def _argument(symbols: Symbols, node: ast.Call, position: int, frame: Frame, *, main: bool) -> App | None:
    value = argument(node, position, "app", "application", "wsgi_app", "target")
    if value is None:
        return None
    found = symbols.main_name(value, frame) if main else symbols.evaluate(value, frame)
    return found if isinstance(found, App) else None


def _asks_debug(node: ast.Call) -> bool:
    value = keyword(node, "debug", "use_debugger")
    return isinstance(value, ast.Constant) and value.value is True


def _function_ranges(module: Module) -> list[Function]:
    """Functions, inner ones first."""
    found: list[Function] = [*module.of(ast.FunctionDef)]
    found += module.of(ast.AsyncFunctionDef)
    return sorted(found, key=lambda each: each.lineno, reverse=True)


def _guarded_lines(module: Module) -> set[int]:
    lines: set[int] = set()
    for statement, guard in run_statements(module.tree.body if module.tree else ()):
        if guard == "main":
            lines.update(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return lines
