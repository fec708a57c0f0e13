"""What the app speaks beyond plain requests: coroutines as views, WebSockets."""

import ast

from carboy.inspection.code import is_decoy
from carboy.inspection.index import Index, Module
from carboy.inspection.routes import routes_of
from carboy.inspection.values import ROUTE_METHODS
from carboy.model.facts import Place

_HOOKS = ROUTE_METHODS | {
    "before_request",
    "after_request",
    "teardown_request",
    "errorhandler",
    "before_app_request",
    "context_processor",
    "app_errorhandler",
    "doc",
}
_METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "dispatch_request"}
_VIEW_CLASSES = ("View", "MethodView", "Resource", "MethodResource")
# The order is that of how much they ask of a deployment.
_WEBSOCKETS = (
    ("flask_socketio", "flask-socketio"),
    ("socketio", "python-socketio"),
    ("flask_sock", "flask-sock"),
    ("flask_sockets", "flask-sockets"),
    ("flask_uwsgi_websocket", "flask-uwsgi-websocket"),
    ("geventwebsocket", "gevent-websocket"),
    ("simple_websocket", "simple-websocket"),
)


def has_async_views(index: Index, file: str) -> bool:
    """Whether views or hooks that the app's file leads to are coroutines."""
    return bool(async_views(index, file))


def async_views(index: Index, file: str) -> list[Place]:
    """Where coroutines are views or hooks of the app."""
    reached = routes_of(index).reach(file)
    found = []
    for module in index.modules():
        mine = module.path in reached or not is_decoy(module.path)
        if mine and "async def" in module.text and "quart" not in module.text.lower():
            found += [Place(module.path, node.lineno) for node in _coroutine_views(module)]
    return found


def _coroutine_views(module: Module) -> list[ast.AsyncFunctionDef]:
    if not _imports_flask(module):
        return []
    found = [node for node in module.of(ast.AsyncFunctionDef) if any(_hooks(each) for each in node.decorator_list)]
    for owner in module.of(ast.ClassDef):
        if any(ast.unparse(base).rsplit(".", 1)[-1] in _VIEW_CLASSES for base in owner.bases):
            found += [each for each in owner.body if isinstance(each, ast.AsyncFunctionDef) and each.name in _METHODS]
    return found


def _imports_flask(module: Module) -> bool:
    """Views of FastAPI and discord bots look the same; a Flask module imports something of Flask or of its own."""
    names = {node.module or "" for node in module.of(ast.ImportFrom)} | {
        alias.name for node in module.of(ast.Import) for alias in node.names
    }
    return not any(name.split(".")[0] in {"fastapi", "starlette", "discord", "aiohttp", "sanic"} for name in names)


def _hooks(node: ast.expr) -> bool:
    func = node.func if isinstance(node, ast.Call) else node
    return isinstance(func, ast.Attribute) and func.attr in _HOOKS


def websocket_library(index: Index) -> str | None:
    """The WebSocket library that the project's own code imports."""
    found = websocket_import(index)
    return found[0] if found else None


def websocket_import(index: Index) -> tuple[str, Place] | None:
    """The library and where it is imported."""
    for package, library in _WEBSOCKETS:
        for module in index.modules():
            if package in module.text and not is_decoy(module.path):
                for node in [*module.of(ast.ImportFrom), *module.of(ast.Import)]:
                    if package in _packages(node):
                        return library, Place(module.path, getattr(node, "lineno", None))
    return None


def _packages(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]} if not node.level else set()
    return {alias.name.split(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
