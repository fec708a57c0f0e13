"""Coroutine views of a Flask app, brought to the worker's own event loop."""

import functools
import inspect
import sys
from typing import Any, Callable

from flask_carboy.errors import StartFault, say
from flask_carboy.green import patched_by


def adopt(app: Any, shared: bool) -> None:
    """Let `app` run its coroutine views on the worker's loop; refuse where no such view can be served.

    An app that brings an `async_to_sync` of its own keeps it, and `shared` False leaves Flask's.
    """
    _must_have_threads(app)
    flask = sys.modules.get("flask")
    ours = getattr(flask, "Flask", None)
    if not shared or getattr(type(app), "async_to_sync", None) is not getattr(ours, "async_to_sync", _convert):
        return
    app.async_to_sync = _convert


def _convert(view: Callable[..., Any]) -> Callable[..., Any]:
    # asyncio is loaded by apps that need it only
    from flask_carboy.loop import LOOP

    return functools.partial(LOOP.run, view)


def has_coroutines(app: Any) -> bool:
    """Whether any view or hook of the Flask app `app` is a coroutine function."""
    return any(_is_coroutine(function) for function in app.view_functions.values()) or any(
        _is_coroutine(function)
        for hooks in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
        for functions in hooks.values()
        for function in functions
    )


def _is_coroutine(function: Any) -> bool:
    view_class = getattr(function, "view_class", None)
    if view_class is None:
        return inspect.iscoroutinefunction(function)
    names = ("dispatch_request", "get", "post", "put", "patch", "delete")
    return any(inspect.iscoroutinefunction(getattr(view_class, name, None)) for name in names)


def _must_have_threads(app: Any) -> None:
    fault = None
    green = patched_by()
    if green and has_coroutines(app):
        fault = f"this app has coroutine views, which cannot run under {green}: use gthread, uvicorn or granian"
    elif _uwsgi_without_threads() and has_coroutines(app):
        fault = "this app has coroutine views, which need enable-threads under uWSGI"
    if fault:
        say(fault)
        raise StartFault(fault)


def _uwsgi_without_threads() -> bool:
    uwsgi = sys.modules.get("uwsgi")
    options = getattr(uwsgi, "opt", None)
    if options is None:
        return False
    return not any(name in options or name.encode() in options for name in ("threads", "enable-threads"))
