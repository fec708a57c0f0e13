"""The Flask app inside whatever was put around it."""

import sys
from typing import Any, Optional

_INNER = ("app", "wsgi_app", "application", "_app", "wsgi_application")
_DEEPEST = 12


def find_flask(app: Any) -> Optional[Any]:
    """`app` itself if it is a Flask app, else the one it wraps, as `ProxyFix(app)` does; None where there is none."""
    flask = sys.modules.get("flask")
    if flask is None:
        return None
    for _ in range(_DEEPEST):
        if isinstance(app, flask.Flask):
            return app
        owner = getattr(app, "__self__", None)  # a bound method such as app.wsgi_app
        inner = owner if owner is not None else _inner(app)
        if inner is None:
            return None
        app = inner
    return None


def _inner(app: Any) -> Optional[Any]:
    attributes = getattr(app, "__dict__", {})
    return next((attributes[name] for name in _INNER if callable(attributes.get(name))), None)
