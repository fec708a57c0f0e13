"""What servers import: `application` for WSGI, `asgi` for ASGI.

`application` is made at import and not on demand, because uWSGI looks into the module's dictionary; `asgi` on demand,
because WSGI servers should not load asyncio and what comes with it.
"""

from typing import Any

from flask_carboy import wrap

_settings = wrap.prepare()
_app = wrap.load_app(_settings)

if _settings.interface == "wsgi":
    application = wrap.wrap_wsgi(_app, _settings)


def __getattr__(name: str) -> Any:
    if name != "asgi":
        hint = ": CARBOY_INTERFACE is asgi, serve flask_carboy.serve:asgi" if name == "application" else ""
        raise AttributeError(f"module 'flask_carboy.serve' has no attribute {name!r}{hint}")
    made = globals()["asgi"] = wrap.wrap_asgi(_app, _settings)
    return made
