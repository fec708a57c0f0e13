"""Dotenv files: examples that name variables, and committed ones that only some programs read."""

import io
import posixpath
from collections.abc import Iterator

from carboy.inspection.index import Index
from carboy.model.facts import Place

_EXAMPLES = (
    ".env.example", ".env.sample", ".env.template", ".env.dist", ".env-example", ".env-sample", "env.example",
    "example.env", "sample.env", ".env.default", ".env.defaults", "env.sample", ".env_example", ".env_sample",
    ".flaskenv.example", ".env.prod.example", ".env.production.example",
)  # fmt: skip


def example_names(index: Index, folder: str) -> Iterator[tuple[str, Place]]:
    """Names in the example files of the app's folder and of the project's root."""
    for base in dict.fromkeys((folder, posixpath.dirname(folder), "")):
        for name in _EXAMPLES:
            path = f"{base}/{name}" if base else name
            for key, _, line in read_dotenv(index, path):
                yield key, Place(path, line)


def read_dotenv(index: Index, path: str) -> list[tuple[str, str, int]]:
    """Name, value and line of each binding; lines that are none are passed over."""
    text = index.text(path)
    if not text:
        return []
    from dotenv.parser import parse_stream  # slow to load, and few projects have such files

    bindings = parse_stream(io.StringIO(text))
    return [
        (binding.key, binding.value or "", binding.original.line + _blank_lines(binding.original.string))
        for binding in bindings
        if binding.key and not binding.error and binding.key.replace("_", "").isalnum()
    ]


def _blank_lines(text: str) -> int:
    """A binding's own text begins with the blank lines and comments before it."""
    return len(text) - len(text.lstrip("\n")) if text.startswith("\n") else 0
