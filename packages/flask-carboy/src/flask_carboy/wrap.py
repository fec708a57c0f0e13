"""From the environment to the wrapped app."""

import os
import sys
from typing import Any, Iterable

from flask_carboy import secret_files
from flask_carboy.databases import RECORDER
from flask_carboy.errors import StartFault, say
from flask_carboy.loading import load
from flask_carboy.settings import Settings, read


def prepare() -> Settings:
    """Make this process ready for the app: variables from files, import paths, the watch on databases."""
    try:
        secret_files.adopt(os.environ)
        settings = read(os.environ)
    except StartFault as fault:
        say(str(fault))
        raise
    put_first(settings.import_paths)
    RECORDER.install()
    return settings


def put_first(paths: Iterable[str]) -> None:
    """Put `paths` in front of all others on sys.path, in their order."""
    wanted = list(dict.fromkeys(paths))
    sys.path[:] = wanted + [path for path in sys.path if path not in wanted]


def load_app(settings: Settings) -> Any:
    """The app that CARBOY_APP names."""
    if not settings.app:
        fault = StartFault("CARBOY_APP is not set: it names the app, such as shop:app")
        say(str(fault))
        raise fault
    return load(settings.app, settings.interface)


def wrap_wsgi(app: Any, settings: Settings) -> Any:
    """`app` as a WSGI server should call it."""
    # Imported late, like all below: an app that patches its threads for gevent must have been loaded before.
    from flask_carboy.wsgi import WsgiWrapper

    inner = _with_loop(app, settings)
    if settings.access_log:
        from flask_carboy.access import WsgiAccessLog

        app = WsgiAccessLog(app)
    return WsgiWrapper(app, *_parts(inner, settings))


def wrap_asgi(app: Any, settings: Settings) -> Any:
    """`app`, WSGI or ASGI, as an ASGI server should call it."""
    from flask_carboy.asgi import AsgiWrapper

    wsgi_app = app if settings.interface == "wsgi" else _behind_asgiref(app)
    inner = app
    if wsgi_app is not None:
        from flask_carboy.bridge import Bridge

        inner = _with_loop(wsgi_app, settings)
        app = Bridge(wsgi_app, settings.threads)
    if settings.access_log:
        from flask_carboy.access import AsgiAccessLog

        app = AsgiAccessLog(app)
    return AsgiWrapper(app, *_parts(inner, settings))


def _behind_asgiref(app: Any) -> Any:
    """The WSGI app that `app` hands on, where it is asgiref's WsgiToAsgi, which answers 500 under load; else None."""
    if type(app).__name__ != "WsgiToAsgi" or type(app).__module__ != "asgiref.wsgi":
        return None
    say("asgiref.wsgi.WsgiToAsgi is replaced by a bridge that stands load")
    return app.wsgi_application


def _with_loop(app: Any, settings: Settings) -> Any:
    from flask_carboy import async_views
    from flask_carboy.flask_app import find_flask

    inner = find_flask(app)
    if inner is not None:
        async_views.adopt(inner, settings.shared_loop)
    return inner


def _parts(flask_app: Any, settings: Settings) -> Any:
    from flask_carboy.drain import DRAIN
    from flask_carboy.gate import Gate
    from flask_carboy.health import Health

    DRAIN.watch()
    health = Health(flask_app, settings.live_path, settings.ready_path, DRAIN)
    gate = Gate(settings.gate_token, settings.release, settings.app, DRAIN)
    return health, gate, DRAIN, settings.trusted_hops, settings.trusted_prefix
