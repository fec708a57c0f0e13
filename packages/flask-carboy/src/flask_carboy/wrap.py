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
    # Imported late: an app that patches its threads for gevent must have been loaded before.
    from flask_carboy.drain import DRAIN
    from flask_carboy.flask_app import find_flask
    from flask_carboy.gate import Gate
    from flask_carboy.health import Health
    from flask_carboy.wsgi import WsgiWrapper

    DRAIN.watch()
    health = Health(find_flask(app), settings.live_path, settings.ready_path, DRAIN)
    gate = Gate(settings.gate_token, settings.release, settings.app, DRAIN)
    return WsgiWrapper(app, health, gate, DRAIN, settings.trusted_hops, settings.trusted_prefix)
