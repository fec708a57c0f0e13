"""Which paths the project's .gitignore files leave out: the common forms of patterns, without asking git."""

import re

from carboy.inspection.index import Index
from carboy.model.facts import Place

_MOST_STARS = 8
_LONGEST = 300


def ignored_by(index: Index, path: str) -> Place | None:
    """The line that keeps a file (or a folder, written with a slash at its end) out of git; None where git holds it."""
    found: Place | None = None
    for folder in _folders_of(path):
        name = f"{folder}/.gitignore" if folder else ".gitignore"
        inside = path[len(folder) + 1 :] if folder else path
        for number, line in enumerate(index.lines(name), 1):
            pattern = line.strip()
            if pattern and not pattern.startswith("#") and _matches(pattern.lstrip("!"), inside):
                found = None if pattern.startswith("!") else Place(name, number)
    return found


def _folders_of(path: str) -> list[str]:
    parts = path.rstrip("/").split("/")[:-1]
    return ["", *("/".join(parts[: count + 1]) for count in range(len(parts)))]


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern holds for a path or for a folder above it."""
    pattern = re.sub(r"\*{3,}", "**", re.sub(r"(\*\*/)+", "**/", pattern))
    if pattern.count("*") > _MOST_STARS or len(pattern) > _LONGEST:
        return False  # each star multiplies the ways to match: nobody writes such a line in earnest
    only_folders = pattern.endswith("/")
    wanted = pattern.strip("/")
    if not wanted:
        return False
    anchored = "/" in pattern.rstrip("/")
    expression = _expression(wanted, anchored=anchored)
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        is_folder = count < len(parts) or path.endswith("/")
        if (is_folder or not only_folders) and re.fullmatch(expression, "/".join(parts[:count])):
            return True
    return False


def _expression(pattern: str, *, anchored: bool) -> str:
    text = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"/\*\*", "/.*").replace(r"\*\*", ".*")
    text = text.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    text = re.sub(r"\\\[(.*?)\\\]", lambda m: "[" + m[1].replace("\\-", "-") + "]", text)
    try:
        re.compile(text)
    except re.error:
        text = re.escape(pattern)
    return text if anchored else f"(?:.*/)?{text}"
