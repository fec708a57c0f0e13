"""While an app is imported, `app.run()` outside `if __name__ == "__main__"` must not start a server of its own."""

from contextlib import contextmanager
from types import ModuleType
from typing import Any, Callable, Iterator, List, Tuple

from flask_carboy.after_import import forget, when_imported
from flask_carboy.errors import say

# Module, and the callable in it that would serve and not return.
_SERVERS = (
    ("flask.app", "Flask.run"),
    ("werkzeug.serving", "run_simple"),
    ("flask_socketio", "SocketIO.run"),
    ("waitress", "serve"),
    ("uvicorn", "run"),
    ("gevent.baseserver", "BaseServer.serve_forever"),
)


@contextmanager
def no_second_server() -> Iterator[None]:
    """Turn every known way to serve into a line in the log, until the end of the block."""
    originals: List[Tuple[Any, str, Any]] = []
    actions = [(module, _silencer(module, path, originals)) for module, path in _SERVERS]
    for module, action in actions:
        when_imported(module, action)
    try:
        yield
    finally:
        for module, action in actions:
            forget(module, action)
        for owner, name, original in reversed(originals):
            setattr(owner, name, original)


def _silencer(module_name: str, path: str, originals: List[Tuple[Any, str, Any]]) -> Callable[[ModuleType], None]:
    def silence(module: ModuleType) -> None:
        *outer, name = path.split(".")
        owner: Any = module
        for part in outer:
            owner = getattr(owner, part, None)
        original = getattr(owner, name, None)
        if original is None:
            return

        def refuse(*_arguments: Any, **_named: Any) -> None:
            say(f"{module_name}.{path}() at import is ignored: the server is running already")

        originals.append((owner, name, original))
        setattr(owner, name, refuse)

    return silence
