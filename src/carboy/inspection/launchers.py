"""What the command of a server, or of `flask`, says about the app it serves."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from carboy.inspection.command_lines import Words
from carboy.model.facts import Interface

_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*(:?-([^}]*))?\}?")


@dataclass(frozen=True)
class Launch:
    """`target` is `module:attribute`, `module`, a path, or "" where only a configuration file names it.

    `folder` is where it runs (`--chdir`), `path` a further import path (`--pythonpath`), `config` the server's file.
    """

    server: str
    target: str
    folder: str | None = None
    path: str | None = None
    factory: bool = False
    interface: Interface | None = None
    config: str | None = None
    worker: str | None = None


def read_launch(words: Words) -> Launch | None:
    """What a command launches, None where it is no server's command."""
    reader = _READERS.get(words.program.removesuffix(".exe"))
    launch = reader(list(words.arguments)) if reader else None
    if launch is None:
        return None
    folder = launch.folder if words.folder is None else _under(words.folder, launch.folder)
    return Launch(
        launch.server,
        expanded(launch.target),
        folder and expanded(folder),
        launch.path,
        launch.factory,
        launch.interface,
        launch.config,
        launch.worker,
    )  # fmt: skip  (one field after the other)


def expanded(text: str) -> str:
    """A word whose variables are replaced by their defaults, or by nothing."""
    return _VARIABLE.sub(lambda match: match[2] or "", text)


def _under(folder: str, inner: str | None) -> str:
    return folder if inner is None else inner if inner.startswith("/") else f"{folder}/{inner}"


def _options(words: list[str], valued: set[str], short_valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options with their values, and what remains. `short_valued` are letters whose value may be glued on."""
    options: dict[str, str] = {}
    rest: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word in {"2>&1", ">", ">>", "<", "&"}:
            break
        name, equals, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif equals and word.startswith("--"):
            options[name] = value
        elif word in valued or (len(word) == 2 and word[1] in short_valued):
            options[word] = words[position] if position < len(words) else ""
            position += 1
        elif not word.startswith("--") and word[1:2] and word[1] in short_valued:
            options[word[:2]] = word[2:]
        else:
            options[word] = ""
    return options, rest


# Options of Gunicorn that take no value: every other one does.
_GUNICORN_FLAGS = {
    "--reload",
    "--spew",
    "--check-config",
    "--print-config",
    "--preload",
    "--no-sendfile",
    "--reuse-port",
    "--daemon",
    "--version",
    "--help",
    "--initgroups",
    "--capture-output",
    "--log-syslog",
    "--enable-stdio-inheritance",
    "--disable-redirect-access-to-syslog",
    "--proxy-protocol",
    "--suppress-ragged-eofs",
    "--do-handshake-on-connect",
    "--strip-header-spaces",
    "--no-control-socket",
}  # fmt: skip  (a list reads better packed)


def _gunicorn(words: list[str]) -> Launch | None:
    valued = {word for word in words if word.startswith("--") and "=" not in word} - _GUNICORN_FLAGS
    options, rest = _options(words, valued, "cbwkeutngpm")
    rest = [word for word in rest if expanded(word)]
    worker = options.get("-k") or options.get("--worker-class")
    asgi: Interface | None = "asgi" if worker and re.search(r"uvicorn|asgi|hypercorn", worker) else None
    target = rest[-1] if rest else ""
    config = options.get("-c") or options.get("--config")
    return Launch(
        "gunicorn",
        target,
        options.get("--chdir"),
        options.get("--pythonpath"),
        target.endswith(")"),
        asgi,
        config,
        worker,
    )


def _uwsgi(words: list[str]) -> Launch | None:
    valued = {word for word in words if word.startswith("--") and "=" not in word}
    valued -= {
        "--master",
        "--vacuum",
        "--die-on-term",
        "--enable-threads",
        "--lazy-apps",
        "--need-app",
        "--thunder-lock",
    }
    options, rest = _options(words, valued, "swpbHzLltMT")
    target = options.get("-w") or options.get("--module") or options.get("--wsgi") or ""
    mount = options.get("--mount", "").partition("=")[2]
    file = options.get("--wsgi-file") or options.get("--file") or ""
    called = options.get("--callable") or options.get("--py-callable")
    target = target or mount or file
    if called and target and ":" not in target:
        target = f"{target}:{called}"
    ini = options.get("--ini") or options.get("-i") or next((word for word in rest if word.endswith(".ini")), None)
    return Launch(
        "uwsgi", target, options.get("--chdir"), options.get("--pythonpath") or options.get("--pp"), config=ini
    )


def _waitress(words: list[str]) -> Launch | None:
    options, rest = _options(words, set())
    return Launch("waitress", rest[-1] if rest else "", None, options.get("--app-path"), "--call" in options)


def _uvicorn(words: list[str]) -> Launch | None:
    valued = {word for word in words if word.startswith("--") and "=" not in word}
    valued -= {"--reload", "--factory", "--proxy-headers", "--no-access-log", "--no-server-header", "--use-colors"}
    options, rest = _options(words, valued)
    spoken: Interface = "wsgi" if options.get("--interface") == "wsgi" else "asgi"
    return Launch("uvicorn", rest[0] if rest else "", options.get("--app-dir"), None, "--factory" in options, spoken)


def _hypercorn(words: list[str]) -> Launch | None:
    valued = {word for word in words if word.startswith("--") and "=" not in word} - {"--reload", "--debug"}
    _, rest = _options(words, valued, "bcwk")
    target = rest[0] if rest else ""
    mode, _, inner = target.partition(":")
    if target.count(":") < 2:  # only then is what stands in front a mode and no module
        mode, inner = "asgi", target
    return Launch("hypercorn", inner, interface="wsgi" if mode == "wsgi" else "asgi")


def _granian(words: list[str]) -> Launch | None:
    valued = {word for word in words if word.startswith("--") and "=" not in word}
    valued -= {"--reload", "--factory", "--access-log", "--no-ws", "--ws", "--respawn-failed-workers"}
    options, rest = _options(words, valued)
    spoken: Interface = "wsgi" if options.get("--interface") == "wsgi" else "asgi"
    return Launch(
        "granian", rest[0] if rest else "", options.get("--working-dir"), None, "--factory" in options, spoken
    )


def _daphne(words: list[str]) -> Launch | None:
    _, rest = _options(words, {"--port", "--bind", "--unix-socket"}, "pbue")
    return Launch("daphne", rest[-1] if rest else "", interface="asgi")


def _flask(words: list[str]) -> Launch | None:
    options, rest = _options(words, {"--app", "-A", "--env-file", "-e"})
    target = options.get("--app") or options.get("-A") or ""
    return Launch("flask", target) if target or "run" in rest else None


def _mod_wsgi(words: list[str]) -> Launch | None:
    valued = {word for word in words if word.startswith("--") and "=" not in word}
    options, rest = _options(words, valued)
    script = next((word for word in rest if word.endswith((".py", ".wsgi"))), "")
    return Launch("mod_wsgi", script, options.get("--working-directory"))


_READERS: dict[str, Callable[[list[str]], Launch | None]] = {
    "gunicorn": _gunicorn,
    "gunicorn3": _gunicorn,
    "gunicorn.app.wsgiapp": _gunicorn,
    "uwsgi": _uwsgi,
    "pyuwsgi": _uwsgi,
    "waitress-serve": _waitress,
    "waitress": _waitress,
    "uvicorn": _uvicorn,
    "hypercorn": _hypercorn,
    "granian": _granian,
    "daphne": _daphne,
    "flask": _flask,
    "mod_wsgi-express": _mod_wsgi,
}
SERVER_NAMES = frozenset(_READERS)
