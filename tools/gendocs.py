"""Writes the pages of docs/reference that come from the code; `--check` fails where one is stale.

python tools/gendocs.py [--check]
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from carboy.cli.main import WORDS, group
from carboy.planfile.keys import ANY, Key, Section, dotted, sections, wanted
from carboy.planfile.schema import json_schema
from carboy.workflows.explain import default_text, known_codes, variable_of

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
CHINESE = ROOT / "tools" / "settings.zh-CN.json"

_ENGLISH_WORDS = {
    "title": "Settings of carboy.toml",
    "intro": "Every key that `carboy.toml` (or `[tool.carboy]` in `pyproject.toml`) knows. `carboy explain KEY` says "
    "the same, `carboy config show` every value with the layer it came from.",
    "layers": "Later wins: defaults, what was detected, `carboy.toml`, its section `[tiers.<name>]`, the process "
    "environment (the variable named in the table), the command line. `.env` and `.env.<tier>` hold variables and "
    "secrets of the app, never keys of this file.",
    "made": "This page is made by `tools/gendocs.py`.",
    "columns": "| key | what it is | takes | default | example |",
    "top": "Top of the file",
    "names": "Names",
    "variable": "variable",
    "version": "Version of this file's form.",
    "codes": "Codes of warnings",
    "meaning": "| code | meaning | what to do |",
}


def pages() -> dict[Path, str]:
    """Every generated file with its text."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    return {
        REFERENCE / "settings.md": settings_page(_ENGLISH_WORDS, {}),
        REFERENCE / "settings.zh-CN.md": settings_page(*_chinese()),
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "warnings.md": warnings_page(),
        REFERENCE / "schemas" / "plan.schema.json": schema,
    }


def settings_page(words: Mapping[str, str], help_texts: Mapping[str, str]) -> str:
    """The reference of the plan's keys; `help_texts` translates, by the key's name."""
    parts = [f"# {words['title']}", words["intro"], words["layers"], words["made"]]
    parts += [_section(section, words, help_texts) for section in sections() if section.keys]
    return "\n\n".join(parts) + "\n"


def _section(section: Section, words: Mapping[str, str], help_texts: Mapping[str, str]) -> str:
    name = dotted(section.path)
    head = f"## `[{name}]`" if section.path else f"## {words['top']}"
    lines = [head, ""]
    if section.path:
        lines += [help_texts.get(f"[{name}]", section.help), ""]
    if section.names_form:
        lines += [f"{words['names']}: {help_texts.get(section.names_form, section.names_form)}.", ""]
    lines += [words["columns"], "|---|---|---|---|---|"]
    if not section.path:
        lines.append(f"| `version` | {words['version']} | `1` | `1` | |")
    lines += [_row(key, words, help_texts) for key in section.keys]
    return "\n".join(lines)


def _row(key: Key, words: Mapping[str, str], help_texts: Mapping[str, str]) -> str:
    name = "<name>" if key.path[-1] == ANY else key.path[-1]
    about = f"{help_texts.get(key.name, key.help)} ({words['variable']} `{variable_of(key)}`)"
    default = default_text(key)
    shown = f"`{default}`" if not (key.required or key.default is None) else help_texts.get(default, default)
    example = f"`{key.example}`" if key.example else ""
    return (
        "| " + " | ".join(_cell(text) for text in (f"`{name}`", about, _takes(key, help_texts), shown, example)) + " |"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _chinese() -> tuple[Mapping[str, str], Mapping[str, str]]:
    table = json.loads(CHINESE.read_text(encoding="utf-8"))
    return table["words"], table["help"]


def _takes(key: Key, help_texts: Mapping[str, str]) -> str:
    """What the key takes, in the page's language."""
    text = wanted(key)
    if not help_texts:
        return text
    if key.form:
        text = text.replace(key.form, help_texts.get(key.form, key.form))
    for pattern, words in json.loads(CHINESE.read_text(encoding="utf-8"))["takes"]:
        text = re.sub(pattern, words, text)
    return text


def untranslated() -> list[str]:
    """Texts of the settings page that the Chinese table does not hold, or no longer needs."""
    _, help_texts = _chinese()
    needed: set[str] = set()
    for section in sections():
        if section.keys:
            needed |= {f"[{dotted(section.path)}]"} if section.path else set()
            needed |= {section.names_form} if section.names_form else set()
            needed |= {key.name for key in section.keys} | {key.form for key in section.keys if key.form}
            needed |= {default_text(key) for key in section.keys if key.required or key.default is None}
    return sorted(needed ^ set(help_texts))


def commands_page() -> str:
    """The reference of the commands, as `--help` shows them."""
    parts = ["# Commands", "What `carboy WORD --help` says. This page is made by `tools/gendocs.py`."]
    parts.append(_help(group, "carboy"))
    top = click.Context(group, info_name="carboy")
    for word in WORDS:
        command = group.get_command(top, word)
        if command is not None:
            parts += _command(command, f"carboy {word}")
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, name: str) -> list[str]:
    parts = [f"## {name}", _help(command, name)]
    if isinstance(command, click.Group):
        for word, below in sorted(command.commands.items()):
            parts += [f"### {name} {word}", _help(below, f"{name} {word}")]
    return parts


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100)
    return f"```text\n{command.get_help(context)}\n```"


def warnings_page() -> str:
    """The reference of the warnings of `carboy inspect`."""
    words = _ENGLISH_WORDS
    lines = [f"# {words['codes']}", "", "What `carboy inspect` may warn of; `carboy explain CODE` says the same.", ""]
    lines += [words["made"], "", words["meaning"], "|---|---|---|"]
    lines += [f"| `{code}` | {_cell(about.meaning)} | {_cell(about.remedy)} |" for code, about in known_codes()]
    return "\n".join(lines) + "\n"


def stale() -> list[Path]:
    """Pages whose text is not what the code says now."""
    return [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main() -> int:
    missing = untranslated()
    for text in missing:
        print(f"tools/settings.zh-CN.json: missing or no longer needed: {text}", file=sys.stderr)
    if "--check" in sys.argv[1:]:
        old = stale()
        for path in old:
            print(f"{path.relative_to(ROOT).as_posix()}: stale; run make docs", file=sys.stderr)
        return 1 if missing or old else 0
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
