"""The files that say how a project is started, read as commands with their places."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from carboy.inspection.documents import json_of
from carboy.inspection.index import Index
from carboy.inspection.launch_kinds import kind_of
from carboy.inspection.roots import folder_of


@dataclass(frozen=True)
class Line:
    """One command of one file: `name` of its process or service, `folder` it runs in and `variables` around it."""

    file: str
    number: int
    text: str
    kind: str
    weight: int
    name: str = ""
    folder: str | None = None
    variables: dict[str, str] = field(default_factory=dict)


def launch_lines(index: Index) -> tuple[Line, ...]:
    """All commands of all files that start things, in the order of the files."""
    return tuple(line for file in index.files for line in _file_lines(index, file))


def lines_of(index: Index) -> tuple[Line, ...]:
    """The shared commands of one index."""
    return index.derived(launch_lines)


def _file_lines(index: Index, file: str) -> Iterator[Line]:
    found = kind_of(file)
    if found is None:
        return
    kind, weight = found
    text = index.text(file)
    if not text or len(text) > 300_000:
        return
    if kind in {"script"} and not file.endswith((".sh", ".bash", ".bat", ".cmd", ".ps1")) and not text.startswith("#!"):
        return
    if kind == "script" and "python" in text.partition("\n")[0]:
        return
    weight -= 10 * max(0, file.count("/") - 1)
    yield from _READERS.get(kind, _script)(file, text.splitlines(), kind, weight)


def joined(lines: list[str], first: int = 0) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first line, backslash continuations joined."""
    start = first
    parts: list[str] = []
    for number, line in enumerate(lines[first:], start=first):
        if not parts:
            start = number
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line.rstrip()[:-1])
        else:
            yield start + 1, " ".join([*parts, line]).strip()
            parts = []
    if parts:
        yield start + 1, " ".join(parts).strip()


def _procfile(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    for number, text in joined(lines):
        match = re.match(r"([A-Za-z0-9_-]+):\s*(.+)", text)
        if match:
            yield Line(file, number, match[2], kind, weight, match[1])


def _dockerfile(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    variables: dict[str, str] = {}
    folder: str | None = None
    entry, command = None, None
    for number, text in joined(lines):
        word, _, rest = text.partition(" ")
        match word.upper():
            case "FROM":
                entry = command = None
            case "ENV":
                variables |= _pairs(rest)
                yield Line(
                    file, number, f"export {rest}" if "=" in rest else "", kind, weight, variables=dict(variables)
                )
            case "WORKDIR":
                folder = rest.strip()
            case "ENTRYPOINT":
                entry = (number, _exec_form(rest))
            case "CMD":
                command = (number, _exec_form(rest))
    for number, text in _merged(entry, command):
        yield Line(file, number, text, kind, weight, "web", folder, variables)


def _merged(entry: tuple[int, str] | None, command: tuple[int, str] | None) -> Iterator[tuple[int, str]]:
    """ENTRYPOINT's words with CMD's behind them, and CMD alone where the entry point is a script."""
    if entry and command:
        yield entry[0], f"{entry[1]} {command[1]}"
        yield command
    elif entry or command:
        yield entry or command or (0, "")


def _exec_form(rest: str) -> str:
    """A JSON array as shell words; anything else as it is."""
    if rest.lstrip().startswith("["):
        words = json_of(rest)
        if not isinstance(words, list):
            return rest.strip(" []").replace('"', "").replace(",", " ")
        return shlex.join(str(word) for word in words)
    return rest


def _pairs(rest: str) -> dict[str, str]:
    if "=" not in rest:
        name, _, value = rest.strip().partition(" ")
        return {name: value}
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _systemd(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    entries: list[tuple[int, str, str]] = []
    for number, text in joined(lines):
        key, _, value = text.partition("=")
        entries.append((number, key.strip(), value.strip()))
    folder = next((value for _, key, value in entries if key == "WorkingDirectory"), None)
    variables: dict[str, str] = {}
    for _, key, value in entries:
        variables |= _pairs(value.strip('"')) if key == "Environment" else {}
    name = file.rsplit("/", 1)[-1].partition(".")[0]
    for number, key, value in entries:
        if key == "ExecStart":
            yield Line(file, number, value, kind, weight, name, folder, variables)


def _supervisor(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    sections: list[tuple[str, dict[str, tuple[int, str]]]] = []
    for number, text in joined(lines):
        match = re.match(r"\[program:([^\]]+)\]", text)
        if match:
            sections.append((match[1].strip(), {}))
        elif text.startswith("["):
            sections.append(("", {}))
        elif "=" in text and sections and not text.startswith((";", "#")):
            key, _, value = text.partition("=")
            sections[-1][1][key.strip()] = (number, value.strip())
    for name, keys in sections:
        if name and "command" in keys:
            number, text = keys["command"]
            folder = keys.get("directory", (0, ""))[1] or None
            variables = _pairs(keys.get("environment", (0, ""))[1].replace(",", " "))
            yield Line(file, number, text, kind, weight, name, folder, variables)


def _script(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    """Shell text; a `cd` and an `export` hold for the lines that follow."""
    folder: str | None = None
    variables: dict[str, str] = {}
    for number, text in joined(lines):
        if not text or text.startswith(("#", "::", "REM ", "rem ")):
            continue
        moved = re.fullmatch(r"(?:cd|pushd)\s+(\S+)", text)
        if moved:
            folder = moved[1].strip("\"'")
            continue
        given = re.fullmatch(r"(?:export|set|SET|setenv|\$env:)\s*(\w+)\s*=\s*(.*)", text)
        if given:
            variables[given[1]] = given[2].strip("\"' ")
        yield Line(file, number, text, kind, weight, "", folder, dict(variables))


_CODE_MARK = re.compile(r"^\s*(?:```|~~~)")


def _readme(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    """Lines of code only: fenced, indented, after a prompt or between backticks."""
    fenced = False
    for number, text in enumerate(lines, start=1):
        if _CODE_MARK.match(text):
            fenced = not fenced
        elif fenced or text.startswith(("    ", "\t", "$ ", "> ")):
            yield Line(file, number, re.sub(r"^\s*[$>%#]\s+", "", text).strip(), kind, weight)
        else:
            for code in re.findall(r"`+([^`]+)`+", text):
                yield Line(file, number, re.sub(r"^\s*[$>%]\s+", "", code).strip(), kind, weight)


_KEY = re.compile(r"^(?P<indent>\s*)(?:-\s+)?[\"']?(?P<key>[\w.-]+)[\"']?\s*[:=]\s*(?P<value>.*)$")
_COMMAND_KEYS = re.compile(
    r"^(command|entrypoint|args|cmd|run|start|startcommand|start_command|serve|exec|script|release|web|worker|app|"
    r"processes|prod|production|dev|server|shell|FLASK_APP|WSGIPath|app_function|predeploycommand|gunicorn|formation|"
    r"value|commands)$",
    re.IGNORECASE,
)


def _structured(file: str, lines: list[str], kind: str, weight: int) -> Iterator[Line]:
    """YAML, TOML, JSON and Make read line by line: every value that could be a command, lists and blocks joined."""
    service, variables = "", {}
    position = 0
    level: tuple[int, str] | None = None
    while position < len(lines):
        text = lines[position]
        position += 1
        match = _KEY.match(text)
        if not match:
            yield Line(file, position, _unquoted(text.strip().lstrip("-@ ").strip()), kind, weight, service)
            continue
        indent, key, value = len(match["indent"]), match["key"], match["value"].strip()
        if kind == "compose" and not value:
            service, level = _service(service, level, indent, key)
        start = position
        if value in {"", ">", "|", ">-", "|-", ">+", "|+"} and _COMMAND_KEYS.match(key):
            value, position = _block(lines, position, indent, value)
        if value and key == "FLASK_APP":
            variables["FLASK_APP"] = _unquoted(value)
            yield Line(file, start, f"export FLASK_APP={shlex.quote(_unquoted(value))}", kind, weight, service)
        elif value and key == "WSGIPath":
            yield Line(file, start, f"mod_wsgi-express start-server {_unquoted(value)}", kind, weight, "web")
        elif value and key == "app_function":
            yield Line(file, start, f"gunicorn {_dotted_target(_unquoted(value))}", kind, weight, "web")
        elif value:
            yield Line(file, start, _exec_form(_unquoted(value)), kind, weight, service or key, None, dict(variables))


def _service(service: str, level: tuple[int, str] | None, indent: int, key: str) -> tuple[str, tuple[int, str] | None]:
    """The compose service whose block begins here, else the one that goes on."""
    if key == "services":
        return "", (indent, "services")
    if (
        level is not None
        and indent > level[0]
        and key
        not in {
            "environment",
            "build",
            "depends_on",
            "ports",
            "volumes",
            "command",
            "entrypoint",
            "networks",
            "deploy",
            "healthcheck",
            "labels",
            "env_file",
            "args",
            "secrets",
            "configs",
            "test",
            "expose",
            "links",
            "logging",
            "options",
            "resources",
            "limits",
            "extra_hosts",
            "condition",
            "develop",
            "watch",
            "profiles",
        }
    ):  # fmt: skip  (a list reads better packed)
        return key, level
    return service, level


def _block(lines: list[str], position: int, indent: int, style: str) -> tuple[str, int]:
    """A list or a block scalar that follows a key: its words on one line, and where it ends."""
    items: list[str] = []
    listed = False
    while position < len(lines):
        text = lines[position]
        depth = len(text) - len(text.lstrip())
        dash = text.lstrip().startswith("- ")
        if text.strip() and (depth < indent or (depth == indent and not (dash and not style))):
            break
        if not style and text.strip() and not dash and not listed:
            break
        if text.strip() and not text.lstrip().startswith("#"):
            listed = listed or dash
            items.append(_unquoted(text.strip().removeprefix("- ").strip()))
        position += 1
    if style:
        return (" ; " if style.startswith("|") else " ").join(item.rstrip("\\") for item in items), position
    return shlex.join(items) if all(" " not in item for item in items) else " ; ".join(items), position


def _dotted_target(text: str) -> str:
    module, _, name = text.rpartition(".")
    return f"{module}:{name}"


def _unquoted(text: str) -> str:
    bare = text.rstrip(",").strip()
    if bare[:1] in "\"'" and len(bare) > 1:
        try:
            value = ast.literal_eval(bare)
        except (ValueError, SyntaxError):
            return bare.strip("\"'")
        return value if isinstance(value, str) else bare
    return bare


_READERS = {
    "procfile": _procfile,
    "dockerfile": _dockerfile,
    "systemd": _systemd,
    "supervisor": _supervisor,
    "script": _script,
    "make": _script,
    "readme": _readme,
    "compose": _structured,
    "platform": _structured,
    "tasks": _structured,
    "workflow": _structured,
}


def home_of(file: str) -> str:
    """The folder a launch file speaks for: its own, or the project's where it lies among deployment files."""
    folder = folder_of(file)
    while folder and folder.rsplit("/", 1)[-1].lower() in _DEPLOY_FOLDERS:
        folder = folder_of(folder)
    return folder


_DEPLOY_FOLDERS = {
    "docker",
    "deploy",
    "deployment",
    "deployments",
    "bin",
    "scripts",
    "script",
    "etc",
    "conf",
    "config",
    "ops",
    "systemd",
    "supervisor",
    "infra",
    "compose",
    "web",
    ".github",
    "workflows",
    "docs",
    "doc",
    ".circleci",
    "nginx",
    "contrib",
    "tools",
    "build",
    "container",
    "containers",
    "production",
    "prod",
    ".ebextensions",
    "k8s",
    "init",
}  # fmt: skip  (a list reads better packed)
