"""Commands in the project's recipes: Procfile, Dockerfile, entry points, compose files."""

import re
import shlex
from collections.abc import Iterator

from carboy.inspection.index import Index
from carboy.model.facts import Place

_NAMES = r"[\w-]*(?:init|deploy|seed|setup|create|bootstrap)[\w-]*"
_PREPARES = re.compile(
    rf"(?:^|\s)(?P<words>(?:python3? -m )?flask (?:--app[ =]\S+ )?(?:db upgrade|{_NAMES})(?: [\w./-]+)*"
    r"|python3? (?:\S*/)?\w+\.py(?: [\w-]+)*|alembic(?: -c \S+)? upgrade heads?"
    r"|pw_migrate migrate\b.*|yoyo apply\b.*)\s*$"
)
_RECIPES = (
    "Dockerfile", "Procfile", "Dockerfile.prod", "docker-compose.yml", "docker-compose.yaml", "compose.yaml",
    "compose.yml", "docker-compose.prod.yml", "heroku.yml", "render.yaml", "app.json",
)  # fmt: skip
_SCRIPTS = re.compile(r"(entry|boot|start|run|deploy|build|init|launch|setup|release)[\w.-]*\.sh$")
_KEYS = r"^(-\s*)?(command|release|web|buildCommand|startCommand|preDeployCommand|\"?postdeploy\"?)\s*:\s*"


def release_line(index: Index, folder: str) -> list[tuple[str, Place]]:
    """The commands of a Procfile's `release:` line, one for each part of it."""
    for path in dict.fromkeys((f"{folder}/Procfile" if folder else "Procfile", "Procfile")):
        for number, line in enumerate(index.lines(path), 1):
            found = re.match(r"^release\s*:\s*(.+)$", line.strip())
            if found:
                return [(part, Place(path, number)) for part in split_commands(found[1])]
    return []


def split_commands(line: str) -> list[str]:
    """The single commands of a shell line; those that only change folder or environment are left out."""
    inner = re.match(r"^(?:/bin/)?(?:ba|da)?sh\s+-l?c\s+(['\"])(?P<inner>.*)\1\s*$", line.strip())
    text = inner["inner"] if inner else line
    parts = [part.strip().removeprefix("exec ").strip() for part in re.split(r"\s*(?:&&|;|\|\|)\s*", text)]
    return [part for part in parts if part and not re.match(r"^(cd|export|echo|set|source|\.|sleep|true|exit)\b", part)]


def prepared_in_recipes(index: Index) -> dict[str, Place]:
    """Commands that prepare data, as recipes spell them, with their first place."""
    found: dict[str, Place] = {}
    for path in _recipes(index):
        for number, line in enumerate(index.lines(path), 1):
            for part in _parts(line):
                match = _PREPARES.search(part)
                if match:
                    words = re.sub(r"^python3? -m flask", "flask", match["words"].strip())
                    found.setdefault(re.sub(r"^python3 ", "python ", words), Place(path, number))
    return found


def _recipes(index: Index) -> list[str]:
    scripts = [path for path in index.files if path.count("/") < 3 and _SCRIPTS.search(path)]
    return [*index.named(*_RECIPES), *scripts]


def _parts(line: str) -> Iterator[str]:
    text = line.strip()
    if text.startswith("#"):
        return
    text = re.sub(r"^(CMD|ENTRYPOINT|RUN)\s+", "", text)
    text = re.sub(_KEYS, "", text)
    if text.startswith("["):
        text = " ".join(re.findall(r"\"([^\"]*)\"", text))
        text = re.sub(r"^(/bin/)?(ba)?sh -l?c ", "", text)
    yield from split_commands(text.strip().strip("\"'"))


def words_of(command: str) -> list[str]:
    """The words of a command; a line that no shell would read gives those between blanks."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
