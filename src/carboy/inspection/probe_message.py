"""What a failed import means: one sentence, and the variable that was missing where it was one."""

import re
from typing import Any

Answer = dict[str, Any]

# "X environment variable", "X is not set", "must set X", "Set the X ...", `Environment variable "X" not set`, ...
_NAME = r"[`'\"$({\[]*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{4,})[`'\")}\]]*"
_SAYS_MISSING = (
    rf"(?i:environment|env)(?i:ironment)?[ -]?(?i:variables?|vars?|settings?)?:? (?i:named |called )?{_NAME}",
    rf"{_NAME} (?i:\w+ ){{0,3}}?(?i:is|was|are|must|has|have|not|env|environment|config|variable|required|missing)",
    rf"(?i:set|setting|missing|provide|define|specify|needs?|requires?|no|without|get)(?i: the| an?| your)* {_NAME}",
    rf"(?i:missing|required|not found)[^:]*: ?{_NAME}",
)
_NOT_VARIABLES = frozenset({"HTTP", "HTTPS", "JSON", "UTF_8", "NOT_FOUND", "HTML", "POST", "NONE", "TRUE", "FALSE"})
_PYDANTIC_FIELD = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)\n\s+(?:Field required|field required)", re.MULTILINE)
_NETWORK = re.compile(
    r"Connection refused|Name or service not known|Temporary failure in name resolution|getaddrinfo failed"
    r"|could not translate host|nodename nor servname|Network is unreachable|No route to host|Can't connect to"
    r"|Max retries exceeded|Connection error|ServerSelectionTimeout",
)


def missing_variables(answer: Answer, known: tuple[str, ...]) -> list[str]:
    """Names that the failure asks for, the surest first; empty where it is about something else."""
    text = str(answer.get("text", ""))
    if answer.get("environ"):
        return [text.strip("'\"")]
    found = [name.upper() for name in _PYDANTIC_FIELD.findall(text)]
    if answer.get("kind") in ("import", "syntax"):
        return []
    for pattern in _SAYS_MISSING:
        found += [name for name in re.findall(pattern, text) if name not in _NOT_VARIABLES]
    found += [name for name in known if re.search(rf"\b{re.escape(name)}\b", text)]
    if not found and _is_about_none(answer):
        found = [name for name in answer.get("unset", ()) if name in known or "_" in name]
    return list(dict.fromkeys(found))


def _is_about_none(answer: Answer) -> bool:
    text = str(answer.get("text", ""))
    if answer.get("type") not in {"TypeError", "ValueError", "AttributeError", "ArgumentError", "RuntimeError"}:
        return False
    return "None" in text or "must be set" in text or "SECRET_KEY" in text


def sentence(answer: Answer) -> str:
    """What happened, with its place."""
    place = _place(answer)
    kind, text, name = answer.get("kind"), _first_line(answer), answer.get("type", "")
    if kind == "no-app":
        return text
    if kind == "exit":
        return f"importing it ends the process with exit code {answer.get('code')} ({place})"
    if kind == "syntax":
        return _syntax(answer, place, text)
    if kind == "eof":
        return f"importing it asks for input ({place})"
    if answer.get("environ"):
        return f"{place} needs the variable {text.strip(chr(39))}"
    if name in ("ModuleNotFoundError", "ImportError") and "No module named" in text:
        return f"{place} imports {answer.get('module') or text}, which is not installed"
    if _NETWORK.search(str(answer.get("text", ""))):
        contact = next(iter(answer.get("contacts", ())), "another host")
        return f"importing it needs {contact}, which does not answer the probe ({place}: {name})"
    return f"{place}: {name}: {text}" if text else f"{place}: {name}"


def _syntax(answer: Answer, place: str, text: str) -> str:
    if "print" in text and "parenthes" in text:
        return f"{place} is written for Python 2: {text}"
    return f"{place} cannot be parsed by Python {answer.get('python')}: {text}"


def _place(answer: Answer) -> str:
    file, line = answer.get("file"), answer.get("line")
    if not file:
        return "the app"
    return f"{file}:{line}" if line else str(file)


def _first_line(answer: Answer) -> str:
    lines = [line.strip() for line in str(answer.get("text", "")).splitlines() if line.strip()]
    return lines[0][:300] if lines else ""


def hang_place(dump: str, root: str) -> str:
    """Where a process hung, told from faulthandler's dump: the project's own innermost line."""
    for file, line in re.findall(r'File "([^"]+)", line (\d+) in', dump):
        if file.startswith(root) and "site-packages" not in file:
            return f"{file[len(root) :].lstrip('/')}:{line}"
    return ""
