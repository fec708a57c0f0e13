"""The text of gunicorn.conf.py: every key of `[server]` that Gunicorn has, each with its reason."""

from collections.abc import Iterator
from typing import NamedTuple

from carboy.model.launch import Listen
from carboy.model.plan import Plan
from carboy.quoting import python
from carboy.servers.combinations import GREEN
from carboy.servers.sizing import Size

Value = str | int | float | bool | tuple[str, ...] | None


class _Setting(NamedTuple):
    """One line: `code` stands for `value` where it can only be known on the host."""

    name: str
    value: Value
    reason: str
    code: str = ""


def config(plan: Plan, numbers: Size, listen: Listen) -> str:
    """Write the file for one plan."""
    head = "# Written by Carboy from carboy.toml; Gunicorn reads it as Python. It works without Carboy.\n"
    parts = [head, *_imports(plan)]
    for title, settings in _sections(plan, numbers, listen):
        lines = [f"# {title}", *(_line(setting) for setting in settings)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(part for part in (*parts, _UMASK, *_hooks(plan)) if part)


def address(listen: Listen) -> str:
    """Return the listening address as Gunicorn writes it."""
    if listen.socket is not None:
        return f"unix:{listen.socket}"
    return f"[{listen.host}]:{listen.port}" if ":" in listen.host else f"{listen.host}:{listen.port}"


def _line(setting: _Setting) -> str:
    return f"# {setting.reason}\n{setting.name} = {setting.code or python(setting.value)}"


def _sections(plan: Plan, numbers: Size, listen: Listen) -> Iterator[tuple[str, list[_Setting]]]:
    yield "Where it listens", _sockets(numbers, listen)
    yield "Workers", list(_workers(plan, numbers))
    yield "Time", _times(plan)
    yield "What a client may send", _limits(plan)
    yield "Who is believed", _trust()
    yield "Logs", _logs()
    yield "The process", _process(plan)


def _sockets(numbers: Size, listen: Listen) -> list[_Setting]:
    return [
        _Setting("bind", (address(listen),), "A proxy in front, or the supervisor, reaches it here."),
        _Setting("backlog", numbers.backlog, "Connections that may wait to be accepted."),
    ]


def _workers(plan: Plan, numbers: Size) -> Iterator[_Setting]:
    server = plan.server
    kind = server.worker_class
    if kind == "uvicorn":
        yield _Setting("worker_class", None, "Uvicorn as a worker, by the class above.", "Worker")
    else:
        yield _Setting("worker_class", kind, _CLASS_REASONS[kind])
    yield _Setting("workers", numbers.workers, f"{numbers.reason[0].upper()}{numbers.reason[1:]}.")
    if kind == "gthread":
        yield _Setting("threads", numbers.threads, "Requests that one worker serves at once.")
    if kind != "sync":
        connections = max(server.worker_connections, numbers.threads + 1)
        yield _Setting("worker_connections", connections, "Open connections that one worker keeps, idle ones included.")
    if kind == "eventlet":
        yield _Setting("max_requests", 0, "Never: an eventlet worker that is replaced resets its connections.")
    else:
        yield _Setting("max_requests", server.max_requests, "Requests after which a worker is replaced; 0 is never.")
        yield _Setting("max_requests_jitter", server.max_requests_jitter, "Spreads it over the workers.")
    yield _Setting("preload_app", server.preload, _PRELOAD[server.preload])


def _times(plan: Plan) -> list[_Setting]:
    server = plan.server
    dead = "A worker that gives no sign of life for so many seconds is replaced"
    if server.worker_class == "sync":
        dead += "; with sync workers that is also the longest a request may take"
    return [
        _Setting("timeout", server.timeout, f"{dead}."),
        _Setting("graceful_timeout", server.graceful_timeout, "Seconds that running requests get at SIGTERM."),
        _Setting("keepalive", server.keepalive, "Seconds an idle connection is kept; sync workers keep none."),
    ]


def _limits(plan: Plan) -> list[_Setting]:
    server = plan.server
    return [
        _Setting("limit_request_line", server.limit_request_line, "Bytes of the request line."),
        _Setting("limit_request_fields", server.limit_request_fields, "Header fields."),
        _Setting("limit_request_field_size", server.limit_request_field_size, "Bytes of one header field."),
    ]


def _trust() -> list[_Setting]:
    return [
        _Setting("forwarded_allow_ips", "", "Carboy's wrapper believes the configured proxies; Gunicorn nobody,"),
        _Setting("secure_scheme_headers", None, "not even on a Unix socket, where the list above is not asked:", "{}"),
        _Setting("forwarder_headers", "", "neither the scheme nor SCRIPT_NAME is taken from a header."),
        _Setting("header_map", "drop", "X_Forwarded_For is not X-Forwarded-For: names with underscores are dropped."),
    ]


def _logs() -> list[_Setting]:
    return [
        _Setting("accesslog", None, "Carboy's wrapper writes one line for each request, the same under every server."),
        _Setting("errorlog", "-", "Gunicorn's own words go to stderr."),
        _Setting("loglevel", "info", "Starts, stops and replaced workers are said."),
        _Setting("capture_output", False, "With errors on stderr, what the app prints is in the same stream already."),
    ]


def _process(plan: Plan) -> list[_Setting]:
    name = f"carboy:{plan.app.name or 'app'}"
    shm = '"/dev/shm" if os.access("/dev/shm", os.W_OK) else None'
    return [
        _Setting("proc_name", name, "Shown by ps where setproctitle is installed."),
        _Setting("worker_tmp_dir", None, "The heartbeat file must be in memory: a slow disk would kill workers.", shm),
        _Setting("control_socket_disable", True, "Gunicorn 25.1 and later opens one in the home folder otherwise."),
        _Setting("umask", None, "Permissions taken away from files that Gunicorn makes;", _octal(plan.server.umask)),
    ]


def _octal(text: str) -> str:
    return f"0o{int(text, 8):03o}"


def _imports(plan: Plan) -> Iterator[str]:
    threads = plan.server.worker_class in _THREADED
    yield "import os\nimport threading\nimport time\n" if threads else "import os\n"
    if plan.server.worker_class == "uvicorn":
        yield _UVICORN_WORKER.format(graceful=plan.server.graceful_timeout)
    if plan.server.worker_class in GREEN and plan.server.preload:
        yield _PATCH_EARLY[plan.server.worker_class]


def _hooks(plan: Plan) -> Iterator[str]:
    if plan.server.worker_class in GREEN:
        yield _POST_FORK.format(kind=plan.server.worker_class)
    if plan.server.preload:
        yield _POST_WORKER_INIT
    if plan.server.worker_class in _THREADED:
        yield _WORKER_EXIT


_THREADED = ("sync", "gthread")  # workers that leave the interpreter by themselves after their last request
_CLASS_REASONS = {
    "sync": "One request at a time in each worker; it needs a proxy in front that buffers slow clients.",
    "gthread": "Threads in each worker, so that a view which waits for the database does not hold up the others.",
    "gevent": "Greenlets: the standard library is patched so that waiting gives way to other requests.",
    "eventlet": "Greenlets by eventlet; Gunicorn 26 removed this class, and eventlet itself is being retired.",
    "asgi": "Gunicorn's own event loop for ASGI.",
}
_PRELOAD = {
    False: "Each worker imports the app for itself: no connection or lock is shared across a fork.",
    True: "The app is imported once before the workers: what it opens then is shared by all of them.",
}
_UVICORN_WORKER = '''\
from uvicorn_worker import UvicornWorker


class Worker(UvicornWorker):
    """Uvicorn without what Carboy's wrapper does already."""

    CONFIG_KWARGS = {{
        **UvicornWorker.CONFIG_KWARGS,
        # The wrapper believes the configured proxies, and writes the access log.
        "proxy_headers": False,
        "access_log": False,
        "server_header": False,
        # Uvicorn alone would wait for running requests without an end.
        "timeout_graceful_shutdown": {graceful},
    }}
'''
_UMASK = """\
# for those that the app makes it has to be set here, because Gunicorn does so only as a daemon.
os.umask(umask)
"""
_PATCH_EARLY = {
    "gevent": (
        "# With preload_app the app is imported before a worker could patch the library.\n"
        "from gevent import monkey\n\nmonkey.patch_all()\n"
    ),
    "eventlet": (
        "# With preload_app the app is imported before a worker could patch the library.\n"
        "import eventlet\n\neventlet.monkey_patch()\n"
    ),
}
_POST_FORK = '''\
def post_fork(server, worker):
    """Let psycopg2 wait the green way: its C code is beyond the reach of the patched library."""
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        return
    try:
        from psycogreen.{kind} import patch_psycopg
    except ImportError:
        server.log.warning("psycopg2 without psycogreen: each query stops all requests of its worker")
        return
    patch_psycopg()
'''
_POST_WORKER_INIT = '''\
def post_worker_init(worker):
    """With preload_app the wrapper came before the fork: this worker has to note SIGTERM for itself."""
    from flask_carboy.drain import DRAIN

    DRAIN.watch()
'''
_WORKER_EXIT = '''\
def worker_exit(server, worker):
    """A thread that a library left running must not hold up the stop: by now the requests are answered."""

    def end():
        time.sleep(5)
        server.log.warning("worker %s ended although threads of the app still ran", worker.pid)
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
'''
