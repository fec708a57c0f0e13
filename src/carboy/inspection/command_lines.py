"""Shell text read as commands: words, variables set for them, and the folder they run in. Nothing is expanded."""

import re
import shlex
from dataclasses import dataclass, field

_OPERATORS = re.compile(r"\s*(?:&&|\|\||;|\n|(?<!\|)\|(?!\|)|(?<![>&])&(?!&|>))\s*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
# Programs that run what follows them, with the number of their own words to drop; -1: up to "--" or the first program.
_WRAPPERS = {
    "exec": 0,
    "env": 0,
    "sudo": 0,
    "nohup": 0,
    "time": 0,
    "dumb-init": 0,
    "tini": 0,
    "honcho": 1,
    "poetry": 1,
    "pipenv": 1,
    "uv": 1,
    "pdm": 1,
    "hatch": 1,
    "rye": 1,
    "conda": 1,
    "newrelic-admin": 1,
    "ddtrace-run": 0,
    "opentelemetry-instrument": 0,
    "doppler": 1,
    "dotenv": 1,
    "xvfb-run": 0,
    "gosu": 1,
    "su-exec": 1,
    "nice": 0,
    "chpst": 0,
    "wait-for-it.sh": -1,
    "wait-for-it": -1,
    "./wait-for-it.sh": -1,
    "dockerize": -1,
    "authbind": 0,
    "bundle": 1,
    "command": 0,
    "stdbuf": 0,
    "infisical": 1,
    "op": 1,
    "setsid": 0,
    "catatonit": 0,
    "start-stop-daemon": -1,
}  # fmt: skip  (a table reads better packed)
_SHELLS = {"sh", "bash", "ash", "dash", "zsh", "/bin/sh", "/bin/bash", "/bin/ash", "/usr/bin/bash"}
_VALUED_FLAGS = {
    "-u",
    "-g",
    "-n",
    "-s",
    "-t",
    "-f",
    "-p",
    "--env-file",
    "--project",
    "--directory",
    "--python",
    "--with",
}


@dataclass(frozen=True)
class Words:
    """One command: program and arguments, the variables set before it, and the folder named by `cd`."""

    program: str
    arguments: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    folder: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        return (self.program, *self.arguments)


def split_commands(text: str) -> list[Words]:
    """The commands of a line, wrappers such as `exec` or `poetry run` taken off."""
    found: list[Words] = []
    folder: str | None = None
    exported: dict[str, str] = {}
    for part in _OPERATORS.split(_outside_quotes(text)):
        words = _words(part.replace(_HIDDEN, " ").replace("\x01", ";").replace("\x02", "&").replace("\x03", "|"))
        if words[:1] in (["export"], ["set"], ["setenv"], ["SET"]) and len(words) > 1:
            exported |= _assignments(words[1:])[0]
            continue
        command = unwrap(words, exported, folder)
        if command is None:
            exported |= _assignments(words)[0]
        elif command.program in {"cd", "pushd"} and command.arguments:
            folder = _joined(folder, command.arguments[0])
        elif command.program in _SHELLS and "-c" in "".join(command.arguments[:1]) and len(command.arguments) > 1:
            found += [_inside(inner, command) for inner in split_commands(command.arguments[1])]
        else:
            found.append(command)
    return found


def unwrap(words: list[str], exported: dict[str, str], folder: str | None) -> Words | None:
    """A command without the variables and programs in front of it."""
    variables = dict(exported)
    for _ in range(12):
        given, words = _assignments(words)
        variables |= given
        if not words:
            return None
        name = words[0].rsplit("/", 1)[-1] if not words[0].startswith("./") else words[0]
        if name in _WRAPPERS:
            words = _drop(words, _WRAPPERS[name])
        elif re.fullmatch(r"python[\d.]*|pypy3?|\$PYTHON|\$\(PYTHON\)|py", name) and "-m" in words[1:4]:
            at = words.index("-m")
            if at + 1 >= len(words):
                return None
            module = words[at + 1]
            return (
                Words("python", ("-m", *words[at + 1 :]), variables, folder)
                if not is_program(module)
                else Words(module, tuple(words[at + 2 :]), variables, folder)
            )
        else:
            return Words(name, tuple(words[1:]), variables, folder)
    return None


def is_program(module: str) -> bool:
    """Whether `python -m module` is a program that we know by that name."""
    return module in {
        "gunicorn",
        "waitress",
        "uvicorn",
        "hypercorn",
        "granian",
        "flask",
        "celery",
        "rq",
        "huey.bin.huey_consumer",
        "dramatiq",
        "daphne",
        "uwsgi",
        "gunicorn.app.wsgiapp",
        "pyuwsgi",
    }  # fmt: skip  (a list reads better packed)


def _inside(inner: Words, outer: Words) -> Words:
    return Words(inner.program, inner.arguments, {**outer.variables, **inner.variables}, inner.folder or outer.folder)


def _drop(words: list[str], own: int) -> list[str]:
    if own < 0:
        return words[words.index("--") + 1 :] if "--" in words else []
    rest = words[1:]
    if own and rest and not rest[0].startswith("-"):  # `run`, `exec`, or the user that gosu takes
        rest = rest[1:]
    while rest and rest[0].startswith("-"):
        flag, rest = rest[0], rest[1:]
        if flag == "--":
            break
        if flag in _VALUED_FLAGS and rest:
            rest = rest[1:]
    if rest[:1] == ["run"]:  # after `uv --flag run`
        rest = rest[1:]
    return rest


def _assignments(words: list[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        match = _ASSIGNMENT.fullmatch(word)
        if not match:
            return found, words[number:]
        found[match[1]] = match[2]
    return found, []


def _words(text: str) -> list[str]:
    text = text.strip().lstrip("@-+$ ").strip("`") if text.strip()[:1] in "@-+$`" else text.strip()
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()


_HIDDEN = "\x00"
_MASKS = {"\n": _HIDDEN, ";": "\x01", "&": "\x02", "|": "\x03"}


def _outside_quotes(text: str) -> str:
    """Operators inside quotes are masked, so that splitting leaves them alone; continued lines are joined."""
    out: list[str] = []
    quote = ""
    for char in re.sub(r"\\\r?\n\s*", " ", text):
        if quote:
            quote = "" if char == quote else quote
            out.append(_MASKS.get(char, char))
            continue
        quote = char if char in "'\"" else ""
        out.append(char)
    return "".join(out) if not quote else re.sub(r"\\\r?\n\s*", " ", text)


def _joined(folder: str | None, more: str) -> str:
    return more if folder is None or more.startswith(("/", "$")) else f"{folder}/{more}"
