"""What servers import: `application` for WSGI, `asgi` for ASGI.

Both are made at import and not on demand, because uWSGI looks into the module's dictionary.
"""

from flask_carboy import wrap

_settings = wrap.prepare()
_app = wrap.load_app(_settings)

if _settings.interface == "wsgi":
    application = wrap.wrap_wsgi(_app, _settings)
