"""Services of compose files, read by their lines: enough to see which images run beside the app."""

import re

from carboy.inspection.index import Index
from carboy.model.facts import Place

_STEMS = ("docker-compose", "compose", "docker-compose.prod", "docker-compose.production")
_FILES = tuple(f"{stem}.{end}" for stem in _STEMS for end in ("yml", "yaml"))
_IMAGE = re.compile(r"^\s*image:\s*[\"']?([^\s\"'#]+)")


def compose_services(index: Index) -> tuple[tuple[str, Place], ...]:
    """The base names of the images in the project's compose files, with their places."""
    return index.derived(_read_services)


def _read_services(index: Index) -> tuple[tuple[str, Place], ...]:
    found = []
    for path in index.named(*_FILES):
        if path.count("/") > 1:
            continue
        for number, line in enumerate(index.lines(path), 1):
            image = _IMAGE.match(line)
            if image:
                found.append((image_name(image[1]), Place(path, number)))
    return tuple(found)


def image_name(image: str) -> str:
    """`docker.io/library/postgres:17-alpine` is `postgres`."""
    return image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
