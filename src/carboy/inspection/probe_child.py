"""Runs in the app's own Python: imports the app, looks at it, tries pages, and answers through a file.

One file, standard library only, Python 3.6 and later (annotations are quoted for its sake). It is copied beside the
throw-away project and called as `python probe_child.py REQUEST.json`.
"""

# Paths come from tracebacks, engines and audit events as strings, and go out as strings: no pathlib.
# ruff: noqa: PTH100, PTH105, PTH112, PTH117, PTH118, PTH119, PTH123

import ast
import contextlib
import errno
import faulthandler
import gc
import importlib
import importlib.abc
import importlib.util
import inspect
import json
import os
import re
import signal
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

# Words of a route or endpoint that may do something, or never end: not asked.
DANGEROUS = re.compile(
    r"^(?:logout|signout|delete|remove|destroy|drop|run|sync|cron|tasks?|jobs?|webhooks?|hook|export|download|reset"
    r"|clear|purge|flush|send|e?mail|import|backup|restore|upgrade|migrate|shutdown|restart|stop|kill|start|trigger"
    r"|update|unsubscribe|revoke|cancel|refresh|init|initdb|seed|populate|setup|install|truncate|approve|pay|charge"
    r"|stream|events|sse|deploy|rebuild|reindex|execute|exec|create|add|new|disable|enable|quit)$"
)
SERVERS = {  # functions that serve for ever, by the module that holds them
    "flask.app": ("Flask.run",),
    "werkzeug.serving": ("run_simple",),
    "flask_socketio": ("SocketIO.run",),
    "waitress": ("serve",),
    "uvicorn": ("run",),
    "gevent.baseserver": ("BaseServer.serve_forever",),
    "eventlet.wsgi": ("server",),
    "cherrypy": ("quickstart",),
    "bjoern": ("run",),
    "wsgiref.simple_server": ("WSGIServer.serve_forever",),
    "tornado.ioloop": ("IOLoop.start",),
    "livereload": ("Server.serve",),
    "connexion.apps.flask_app": ("FlaskApp.run",),
    "connexion.apps.flask": ("FlaskApp.run",),
}
STATIC_FIRST = (".css", ".js", ".ico", ".png", ".svg", ".txt")
MOST_OBJECTS = 2000


class PageTimeout(BaseException):
    """Outside Exception, so that the app's own handlers let it through."""


class Probe:
    """One import and what is learnt from it."""

    def __init__(self, request: "dict[str, Any]") -> None:
        self.request = request
        self.root = os.path.realpath(request["root"])
        self.pid = os.getpid()
        self.answer = {"stage": "start", "python": ".".join(map(str, sys.version_info[:3])), "notes": []}  # type: dict[str, Any]
        self.sqlite = []  # type: list[str]
        self.contacts = []  # type: list[str]
        self.unset = []  # type: list[str]

    def write(self) -> None:
        if os.getpid() != self.pid:  # the app forked while it was imported: only one may answer
            os._exit(0)
        self.answer["opened"] = self.opened()
        self.answer["contacts"] = sorted(set(self.contacts))[:20]
        self.answer["unset"] = list(dict.fromkeys(self.unset))
        beside = self.request["answer"] + ".new"
        with open(beside, "w", encoding="utf-8") as stream:
            json.dump(self.answer, stream)
        os.replace(beside, self.request["answer"])

    def run(self) -> None:
        try:
            target = resolve(self.request["ref"])
        except BaseException as fault:  # whatever an import raises is the answer
            self.answer.update(self.failure(fault))
            self.write()
            return
        self.answer.update(self.describe(target))
        self.answer["stage"] = "app"
        self.write()
        if self.request["try_pages"] and self.answer["status"] == "ok":
            self.answer["pages"] = []
            self.try_pages(target)
            self.write()

    # What the import did

    def failure(self, fault: BaseException) -> "dict[str, Any]":
        frames = list(traceback.extract_tb(fault.__traceback__))
        own = [frame for frame in frames if self.is_own(frame.filename)]
        last = own[-1] if own else None
        found = {
            "stage": "failed",
            "type": type(fault).__name__,
            "text": one_line(fault),
            "frames": [self.frame(frame) for frame in own[-6:] + [frame for frame in frames[-1:] if frame not in own]],
            "file": self.relative(last.filename) if last else None,
            "line": last.lineno if last else None,
            "environ": isinstance(fault, KeyError) and bool(frames) and is_environ_lookup(frames[-1]),
        }  # type: dict[str, Any]
        for base, kind in ((SystemExit, "exit"), (SyntaxError, "syntax"), (ImportError, "import"), (EOFError, "eof")):
            if isinstance(fault, base):
                found["kind"] = kind
        if isinstance(fault, Ambiguous):
            found.update(kind="no-app", frames=[])
        if isinstance(fault, SyntaxError) and fault.filename:
            found.update(
                file=self.relative(fault.filename), line=fault.lineno, text=fault.msg, own=self.is_own(fault.filename)
            )
        if isinstance(fault, ImportError):
            found["module"] = fault.name
        if isinstance(fault, SystemExit):
            found["code"] = fault.code if isinstance(fault.code, int) else (0 if fault.code is None else 1)
        return found

    def frame(self, frame: "traceback.FrameSummary") -> str:
        return f'  File "{self.relative(frame.filename)}", line {frame.lineno}, in {frame.name}\n    {frame.line}'

    def is_own(self, filename: str) -> bool:
        if filename.startswith("<"):  # a frozen module of Python itself
            return False
        path = os.path.realpath(filename)
        return path.startswith(self.root + os.sep) and "site-packages" not in path

    def relative(self, filename: str) -> str:
        path = os.path.realpath(filename)
        if self.is_own(filename):
            return os.path.relpath(path, self.root).replace(os.sep, "/")
        return re.sub(r"^.*[/\\]site-packages[/\\]", "", filename)

    # What the object is

    def describe(self, target: Any) -> "dict[str, Any]":
        kind = interface(target)
        if kind is None:
            return {"status": "no-app", "message": what_else(self.request["ref"], target)}
        found = {"status": "ok", "interface": kind, "flask": flask_version()}  # type: dict[str, Any]
        app = inner_flask(target)
        if app is not None:
            found.update(self.describe_flask(app))
            own = [route for route in found["routes"] if route["endpoint"] != "static"]
            if target is app and not own:
                found["status"] = "no-routes"
        return found

    def describe_flask(self, app: Any) -> "dict[str, Any]":
        routes = [self.route(app, rule) for rule in app.url_map.iter_rules()]
        url, files = static_of(app)
        return {
            "routes": routes,
            "static_url": url,
            "static_files": files,
            "async_views": any(route["asynchronous"] for route in routes),
            "extensions": sorted(str(name) for name in getattr(app, "extensions", {})),
            "debug": bool(app.debug),
            "commands": sorted(getattr(getattr(app, "cli", None), "commands", {})),
            "import_name": str(app.import_name),
            "is_flask": True,
        }

    def route(self, app: Any, rule: Any) -> "dict[str, Any]":
        view = app.view_functions.get(rule.endpoint)
        return {
            "rule": rule.rule,
            "methods": sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}),
            "endpoint": rule.endpoint,
            "arguments": sorted(rule.arguments - set(rule.defaults or ())),
            "asynchronous": is_async(view),
        }

    def opened(self) -> "list[list[str]]":
        found = [["sqlite", "", self.absolute(path)] for path in self.sqlite]
        for thing in live_databases():
            with contextlib.suppress(Exception):  # a half-made engine: nothing to report
                found.append(address_of(thing, self.absolute))
        unique = []  # type: list[list[str]]
        for item in found:
            if item not in unique and len(unique) < 50:
                unique.append(item)
        return unique

    def absolute(self, path: str) -> str:
        return path if path in ("", ":memory:") else os.path.abspath(path)

    # Pages

    def try_pages(self, target: Any) -> None:
        app = inner_flask(target)
        if app is None or self.answer["interface"] != "wsgi":
            return
        app.config["PROPAGATE_EXCEPTIONS"] = False  # debug mode would raise where production answers 500
        self.prepare_scratch_database(app)
        end = time.time() + self.request["pages_seconds"]
        for path in harmless_pages(self.answer["routes"])[: self.request["most_pages"]]:
            left = end - time.time()
            if left <= 0:
                self.answer["notes"].append("the time for trying pages ran out")
                break
            self.answer["pages"].append([path, self.try_page(target, path, min(left, self.request["page_seconds"]))])
            self.write()

    def try_page(self, target: Any, path: str, seconds: float) -> "int | None":
        try:
            with deadline(seconds):
                return ask(target, path)
        except BaseException:  # raising or hanging is an answer: None
            return None

    def prepare_scratch_database(self, app: Any) -> None:
        """Make the tables where the database is an SQLite file of this copy, so that pages can show what they do."""
        state = getattr(app, "extensions", {}).get("sqlalchemy")
        database = getattr(state, "db", state)  # type: Any
        address = str(app.config.get("SQLALCHEMY_DATABASE_URI") or "")
        if not hasattr(database, "create_all") or not address.startswith("sqlite:"):
            return
        path = address.partition("///")[2].partition("?")[0]
        if os.path.isabs(path) and not self.is_scratch(path):
            self.answer["notes"].append("tables were not made: the database lies outside the copy")
            return
        try:
            with deadline(self.request["page_seconds"]), app.app_context():
                database.create_all()
        except BaseException as fault:  # the pages then show what an empty database gives
            self.answer["notes"].append("tables could not be made: " + one_line(fault)[:200])

    def is_scratch(self, path: str) -> bool:
        real = os.path.realpath(path)
        places = (self.root, os.path.realpath(self.request["scratch"]))
        return any(real.startswith(place + os.sep) for place in places)

    # Hooks

    def install_hooks(self) -> None:
        if hasattr(sys, "addaudithook"):
            sys.addaudithook(self.audit)
        self.watch_variables()
        sys.meta_path.insert(0, ServerStopper(self.answer["notes"]))

    def audit(self, event: str, arguments: "tuple[Any, ...]") -> None:
        if event == "sqlite3.connect":
            name = arguments[0]
            name = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else ""
            self.sqlite.append(re.sub(r"\?.*$", "", name[5:]) if name.startswith("file:") else name)
        elif event == "socket.getaddrinfo":
            self.contacts.append(f"{arguments[0]}:{arguments[1]}")
        elif event == "socket.connect":
            address = arguments[1]
            self.contacts.append("{}:{}".format(*address[:2]) if isinstance(address, tuple) else str(address))

    def watch_variables(self) -> None:
        """Note variables that were asked for without a default and are not set: `int(os.getenv('PORT'))`."""
        get = os.environ.get

        def watched(key: str, default: Any = None) -> Any:
            if default is None and key not in os.environ and self.is_own(sys._getframe(1).f_code.co_filename):
                self.unset.append(str(key))
            return get(key, default)

        os.environ.get = watched  # type: ignore[method-assign]
        os.getenv = watched


class Ambiguous(Exception):
    """The reference does not lead to an object."""


def resolve(ref: str) -> Any:
    """The object of `module:attribute`, `module:a.b`, `module:factory()` or with literal arguments."""
    module_name, _, expression = ref.partition(":")
    module = importlib.import_module(module_name)
    try:
        tree = ast.parse((expression or "app").strip(), mode="eval").body
    except SyntaxError:
        raise Ambiguous(f"{expression!r} is not an attribute or a call with literal arguments") from None
    return evaluate(tree, module, ref)


def evaluate(node: ast.AST, module: "types.ModuleType", ref: str) -> Any:
    if isinstance(node, ast.Name):
        if not hasattr(module, node.id):
            raise Ambiguous(f"{module.__name__} has no attribute {node.id!r}")
        return getattr(module, node.id)
    if isinstance(node, ast.Attribute):
        owner = evaluate(node.value, module, ref)
        if not hasattr(owner, node.attr):
            raise Ambiguous(f"{ref}: there is no attribute {node.attr!r}")
        return getattr(owner, node.attr)
    if isinstance(node, ast.Call):
        function = evaluate(node.func, module, ref)
        positional = [ast.literal_eval(argument) for argument in node.args]
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
        return function(*positional, **named)
    raise Ambiguous(f"{ref} is not an attribute or a call with literal arguments")


def flask_class() -> Any:
    return getattr(sys.modules.get("flask"), "Flask", None)


def flask_version() -> "str | None":
    if "flask" not in sys.modules:
        return None
    try:
        from importlib.metadata import version

        return version("flask")
    except Exception:  # Python 3.7 and older, or a Flask without metadata
        return str(getattr(sys.modules["flask"], "__version__", "") or "") or None


def interface(target: Any) -> "str | None":
    """`wsgi`, `asgi`, or None where it is neither."""
    flask = flask_class()
    if flask is not None and isinstance(target, flask):
        return "wsgi"
    if isinstance(target, (type, types.ModuleType)) or not callable(target):
        return None
    call = target if inspect.isroutine(target) else type(target).__call__
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__func__", call)):
        return "asgi"
    names = required_parameters(target)
    if names is None:
        return "wsgi"
    if len(names) == 3 and names[0] == "scope":
        return "asgi"
    return "wsgi" if len(names) == 2 else None


def required_parameters(target: Any) -> "list[str] | None":
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(one.kind == one.VAR_POSITIONAL for one in parameters) and not inspect.isroutine(target):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in parameters if one.kind in kinds and one.default is one.empty]


def what_else(ref: str, target: Any) -> str:
    if inspect.isroutine(target) or isinstance(target, type):
        names = required_parameters(target) or []
        if isinstance(target, type):
            return f"{ref} is a class, not an app"
        if names:
            return "{} is a function that needs {}: not an app, a factory perhaps".format(ref, ", ".join(names))
        return f"{ref} is a function: as a factory it is written {ref}()"
    return "{} is {}, not an app".format(ref, "None" if target is None else "a " + type(target).__name__)


def inner_flask(target: Any) -> Any:
    """The Flask app itself, also below middlewares that keep it in one of the usual attributes."""
    flask = flask_class()
    if flask is None:
        return None
    for _ in range(10):
        if isinstance(target, flask):
            return target
        owner = getattr(target, "__self__", None)  # `wsgi_app` of an app is a bound method
        values = [owner] + [vars(target).get(name) for name in WRAPPED] if hasattr(target, "__dict__") else [owner]
        inner = [value for value in values if value is not None and callable(value)]
        if not inner:
            return None
        target = inner[0]
    return None


WRAPPED = ("app", "wsgi_app", "application", "wsgi_application", "wrapped_app", "_app", "flask_app", "wrap_app")


def is_async(view: Any) -> bool:
    if view is None:
        return False
    owner = getattr(view, "view_class", None)
    if owner is not None:
        return any(inspect.iscoroutinefunction(getattr(owner, name.lower(), None)) for name in owner.methods or ())
    return inspect.iscoroutinefunction(inspect.unwrap(view))


def static_of(app: Any) -> "tuple[str | None, list[str]]":
    folder, url = app.static_folder, app.static_url_path
    if not folder or url is None or not os.path.isdir(folder):
        return None, []
    found = []  # type: list[str]
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/") for name in sorted(names)]
        if len(found) > 200:
            break
    found = [name for name in found if not name.startswith(".") and "/." not in name]
    found.sort(key=lambda name: (not name.endswith(STATIC_FIRST), name.count("/"), name))
    from urllib.parse import quote

    return url, [url.rstrip("/") + "/" + quote(name) for name in found[:5]]


def live_databases() -> "Iterator[Any]":
    count = 0
    for thing in gc.get_objects():
        kind = type(thing)
        module = getattr(kind, "__module__", "")
        if not isinstance(module, str):
            continue
        is_engine = kind.__name__ in ("Engine", "AsyncEngine") and module.startswith("sqlalchemy.")
        if is_engine or is_peewee_database(kind):
            yield thing
            count += 1
        if count > MOST_OBJECTS:
            return


def is_peewee_database(kind: type) -> bool:
    if "peewee" not in sys.modules:
        return False
    return any(base.__module__ == "peewee" and base.__name__ == "Database" for base in kind.__mro__)


def address_of(thing: Any, absolute: "Callable[[str], str]") -> "list[str]":
    url = getattr(thing, "url", None)
    if url is not None:
        engine, name = url.drivername.split("+")[0], url.database or ""
        host = f"{url.host}:{url.port}" if url.port else url.host or ""
    else:
        parameters = getattr(thing, "connect_params", None) or {}
        engine = re.sub(r"(Ext|Pooled|Async|Database|Q)", "", type(thing).__name__).lower()
        engine, name = "postgresql" if engine.startswith("postgres") else engine, thing.database or ""
        host = ":".join(str(parameters[key]) for key in ("host", "port") if parameters.get(key))
    engine = {"postgres": "postgresql"}.get(engine, engine)
    return [engine, host, absolute(str(name)) if engine == "sqlite" else str(name)]


def ask(target: Any, path: str) -> int:
    """The status of a GET, asked as a server asks: test clients of an aged Flask break on a newer Werkzeug."""
    from wsgiref.util import setup_testing_defaults

    environ = {"PATH_INFO": path.encode("utf-8").decode("latin-1"), "REQUEST_METHOD": "GET"}  # type: dict[str, Any]
    setup_testing_defaults(environ)
    environ.update({"HTTP_HOST": "localhost", "SERVER_NAME": "localhost", "REMOTE_ADDR": "127.0.0.1"})
    environ["wsgi.errors"] = sys.stderr
    seen = []  # type: list[str]

    def start_response(status: str, _headers: Any, _fault: Any = None) -> "Callable[[bytes], None]":
        seen.append(status)
        return lambda _data: None

    body = target(environ, start_response)
    try:
        for _ in body:  # the first piece is enough: some bodies never end
            break
    finally:
        if hasattr(body, "close"):
            body.close()
    return int(seen[-1].split()[0])


def harmless_pages(routes: "list[dict[str, Any]]") -> "list[str]":
    paths = []
    for route in routes:
        if "GET" not in route["methods"] or route["arguments"] or "<" in route["rule"] or route["endpoint"] == "static":
            continue
        joined = re.sub(r"(?i)(log|sign)[-_]?out", "logout", route["rule"] + " " + route["endpoint"])
        spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", joined)
        if not any(map(DANGEROUS.match, re.split(r"[^a-z]+", spaced.lower()))):
            paths.append(route["rule"])
    return sorted(dict.fromkeys(paths), key=lambda path: (path != "/", path.count("/"), len(path), path))


@contextlib.contextmanager
def deadline(seconds: float) -> "Iterator[None]":
    """Raise PageTimeout in the block after `seconds`; where the system has no such timer the whole probe's holds."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise PageTimeout

    before = signal.signal(signal.SIGALRM, stop)
    # Repeated, because the first may be raised inside a `finally` or a destructor that swallows it.
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.05), 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class ServerStopper(importlib.abc.MetaPathFinder):
    """Makes the functions that serve for ever return at once, in the moment their module was imported."""

    def __init__(self, notes: "list[str]") -> None:
        self.notes = notes
        self.busy = set()  # type: set[str]

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in SERVERS or name in self.busy:
            return None
        self.busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        except Exception:  # the import proper will say what is wrong
            return None
        finally:
            self.busy.discard(name)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        execute = spec.loader.exec_module

        def execute_and_patch(module: "types.ModuleType") -> None:
            execute(module)
            self.patch(module)

        setattr(spec.loader, "exec_module", execute_and_patch)  # noqa: B010 - a method, which mypy keeps
        return spec

    def patch(self, module: "types.ModuleType") -> None:
        for dotted in SERVERS[module.__name__]:
            owner = module  # type: Any
            *parents, last = dotted.split(".")
            for parent in parents:
                owner = getattr(owner, parent, None)
            if getattr(owner, last, None) is not None:
                setattr(owner, last, self.quiet(dotted))

    def quiet(self, dotted: str) -> "Callable[..., None]":
        def not_now(*_arguments: Any, **_named: Any) -> None:
            caller = sys._getframe(1)
            place = f"{os.path.basename(caller.f_code.co_filename)}:{caller.f_lineno}"
            self.notes.append(f"importing it calls {dotted} ({place}); the probe did not start that server")

        return not_now


def is_environ_lookup(frame: "traceback.FrameSummary") -> bool:
    return frame.name == "__getitem__" and frame.filename.endswith(("os.py", "<frozen os>"))


def one_line(fault: BaseException) -> str:
    try:
        text = str(fault)
    except Exception:
        text = ""
    return text[:2000]


def cut_off_network() -> bool:
    """A network namespace with nothing but loopback in it; False where the system does not allow that."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes
        import fcntl
        import socket
        import struct

        new_user, new_net = 0x10000000, 0x40000000
        user, group = os.getuid(), os.getgid()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(new_net) != 0:
            if ctypes.get_errno() != errno.EPERM or libc.unshare(new_user | new_net) != 0:
                return False
            for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1"), ("gid_map", "%d %d 1")):
                number = user if name == "uid_map" else group
                with open("/proc/self/" + name, "w") as stream:
                    stream.write(text % (number, number) if "%" in text else text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            # struct ifreq: name and flags; SIOCSIFFLAGS brings loopback up.
            fcntl.ioctl(link, 0x8914, struct.pack("16sH14s", b"lo", 1, b""))
    except Exception:
        return False
    return True


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    sys.argv = ["carboy-probe"]
    sys.path[0:1] = [path for path in request["paths"] if path]
    probe = Probe(request)
    if request["isolate"]:
        probe.answer["isolated"] = cut_off_network()
    where = open(request["hang"], "w", encoding="utf-8")  # noqa: SIM115 - written to when the process hangs
    faulthandler.dump_traceback_later(max(request["deadline"] - 0.7, request["deadline"] * 0.6), file=where)
    probe.install_hooks()
    probe.run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that the app started would keep the process


if __name__ == "__main__":
    main()
