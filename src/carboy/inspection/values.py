"""What an expression of the project can be, as far as reading tells."""

import ast
from dataclasses import dataclass
from typing import Literal

from carboy.inspection.code import Function
from carboy.model.facts import Interface

Kind = Literal["flask", "quart", "dash", "asgi", "wsgi"]


@dataclass(frozen=True)
class App:
    """An app object. `file` and `line` say where it is made and are its identity, whatever it is called later.

    `kind` is what it is, `library` the dotted name it was made by. `call` is the last call of a project's factory
    that gave it, made in `caller`. `serves` is False where the object holds the app but cannot be served itself (Dash).
    `inner` is the Flask app that a wrapper wraps.
    """

    kind: Kind
    library: str
    file: str
    line: int
    interface: Interface = "wsgi"
    factory: "Project | None" = None
    call: ast.Call | None = None
    caller: str = ""
    serves: bool = True
    inner: "App | None" = None

    @property
    def identity(self) -> tuple[str, int]:
        return (self.inner or self).file, (self.inner or self).line


@dataclass(frozen=True)
class External:
    """Something of an installed library, by its dotted name; `made` where it was called."""

    name: str
    made: bool = False


@dataclass(frozen=True)
class Project:
    """A function or class of the project. `made` where it is an instance of that class."""

    file: str
    node: "Function | ast.ClassDef"
    made: bool = False
    owner: "Project | None" = None


@dataclass(frozen=True)
class ModuleValue:
    """A module of the project: its file, or the folder of a namespace package."""

    stem: str
    file: str | None


@dataclass(frozen=True)
class Many:
    """A tuple."""

    parts: "tuple[Value, ...]"


Value = App | External | Project | ModuleValue | Many | None

# Called, these give an app. What counts is what the object speaks, not what it looks like.
MAKERS: dict[str, tuple[Kind, Interface]] = {
    "flask.Flask": ("flask", "wsgi"),
    "flask.app.Flask": ("flask", "wsgi"),
    "apiflask.APIFlask": ("flask", "wsgi"),
    "apiflask.app.APIFlask": ("flask", "wsgi"),
    "connexion.App": ("flask", "wsgi"),
    "connexion.FlaskApp": ("flask", "wsgi"),
    "connexion.apps.flask_app.FlaskApp": ("flask", "wsgi"),
    "connexion.apps.flask.FlaskApp": ("flask", "wsgi"),
    "connexion.AsyncApp": ("asgi", "asgi"),
    "flask_openapi3.OpenAPI": ("flask", "wsgi"),
    "flask_openapi3.openapi.OpenAPI": ("flask", "wsgi"),
    "flask_api.FlaskAPI": ("flask", "wsgi"),
    "flask_api.app.FlaskAPI": ("flask", "wsgi"),
    "flask_lambda.FlaskLambda": ("flask", "wsgi"),
    "eve.Eve": ("flask", "wsgi"),
    "dash.Dash": ("dash", "wsgi"),
    "dash.dash.Dash": ("dash", "wsgi"),
    "dash_extensions.enrich.DashProxy": ("dash", "wsgi"),
    "jupyter_dash.JupyterDash": ("dash", "wsgi"),
    "quart.Quart": ("quart", "asgi"),
    "quart.app.Quart": ("quart", "asgi"),
    "quart_trio.QuartTrio": ("quart", "asgi"),
    "fastapi.FastAPI": ("asgi", "asgi"),
    "starlette.applications.Starlette": ("asgi", "asgi"),
}
# Called with an app, these give it back in another coat.
WRAPPERS: dict[str, Interface] = {
    "asgiref.wsgi.WsgiToAsgi": "asgi",
    "a2wsgi.WSGIMiddleware": "asgi",
    "a2wsgi.wsgi.WSGIMiddleware": "asgi",
    "a2wsgi.ASGIMiddleware": "wsgi",
    "uvicorn.middleware.wsgi.WSGIMiddleware": "asgi",
    "starlette.middleware.wsgi.WSGIMiddleware": "asgi",
    "fastapi.middleware.wsgi.WSGIMiddleware": "asgi",
    "hypercorn.middleware.AsyncioWSGIMiddleware": "asgi",
    "hypercorn.middleware.TrioWSGIMiddleware": "asgi",
    "hypercorn.middleware.DispatcherMiddleware": "asgi",
    "werkzeug.middleware.dispatcher.DispatcherMiddleware": "wsgi",
    "werkzeug.wsgi.DispatcherMiddleware": "wsgi",
    "werkzeug.middleware.proxy_fix.ProxyFix": "wsgi",
    "werkzeug.contrib.fixers.ProxyFix": "wsgi",
    "werkzeug.middleware.shared_data.SharedDataMiddleware": "wsgi",
    "werkzeug.middleware.profiler.ProfilerMiddleware": "wsgi",
    "werkzeug.middleware.lint.LintMiddleware": "wsgi",
    "werkzeug.debug.DebuggedApplication": "wsgi",
    "whitenoise.WhiteNoise": "wsgi",
    "whitenoise.base.WhiteNoise": "wsgi",
    "socketio.WSGIApp": "wsgi",
    "socketio.Middleware": "wsgi",
    "socketio.ASGIApp": "asgi",
    "sentry_sdk.integrations.wsgi.SentryWsgiMiddleware": "wsgi",
    "opentelemetry.instrumentation.wsgi.OpenTelemetryMiddleware": "wsgi",
    "newrelic.agent.WSGIApplicationWrapper": "wsgi",
    "elasticapm.middleware.ElasticAPM": "wsgi",
    "beaker.middleware.SessionMiddleware": "wsgi",
}
# Made with an app, these bring routes of their own.
ROUTE_BRINGERS = frozenset(
    {
        "flask_restful.Api",
        "flask_restx.Api",
        "flask_restplus.Api",
        "flask_smorest.Api",
        "flask_rebar.Rebar",
        "flask_admin.Admin",
        "flask_appbuilder.AppBuilder",
        "flask_rest_jsonapi.Api",
        "flask_combo_jsonapi.Api",
        "flask_graphql.GraphQLView",
        "dash.Dash",
        "flask_security.Security",
        "flask_blogging.BloggingEngine",
        "flask_peewee.rest.RestAPI",
        "flask_restless.APIManager",
        "flask_jsonrpc.JSONRPC",
        "flask_sock.Sock",
        "flask_socketio.SocketIO",
        "flask_flatpages.FlatPages",
        "flask_user.UserManager",
        "safrs.SAFRSAPI",
        "flask_resty.Api",
        "flask_simplelogin.SimpleLogin",
        "flask_classful.FlaskView",
        "flask_autoindex.AutoIndex",
    }
)  # fmt: skip  (a list reads better packed)
ROUTE_METHODS = frozenset(
    {
        "route",
        "add_url_rule",
        "register_blueprint",
        "get",
        "post",
        "put",
        "delete",
        "patch",
        "add_api",
        "register_api",
        "mount",
        "add_resource",
        "websocket",
        "add_view",
        "register_view",
        "add_namespace",
    }
)  # fmt: skip  (a list reads better packed)
