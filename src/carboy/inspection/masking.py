"""Command lines without the secrets that people write into them: facts are printed, kept and copied."""

import re
from dataclasses import replace

from carboy.inspection.requirements_files import masked
from carboy.model.facts import Facts
from carboy.model.secret import MASK, holds_credentials, is_secret_name

_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"';&|]+)"""
_SET = re.compile(rf"(?<![\w$])(?P<name>-{{0,2}}[A-Za-z_][\w-]*)=(?:{_VALUE})")
_OPTION = re.compile(rf"(?<!\S)(?P<name>--[A-Za-z][\w-]*)\s+(?!-){_VALUE}")


def without_secrets(facts: Facts) -> Facts:
    """The same facts, with the mask in place of every value in a command that looks like a secret."""
    return replace(
        facts,
        app=replace(
            facts.app,
            command=masked_command(facts.app.command) if facts.app.command else facts.app.command,
            reason=masked_command(facts.app.reason),
        ),
        processes=tuple(replace(each, command=masked_command(each.command)) for each in facts.processes),
        release_commands=tuple(replace(each, command=masked_command(each.command)) for each in facts.release_commands),
        build=tuple(replace(each, command=masked_command(each.command)) for each in facts.build),
    )


def masked_command(command: str) -> str:
    """A command with the mask in place of `SECRET_KEY=value`, `--password value` and passwords in addresses."""
    if "=" in command:
        command = _SET.sub(_hidden, command)
    if "--" in command:
        command = _OPTION.sub(_hidden, command)
    return masked(command) if holds_credentials(command) else command


def _hidden(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"].strip("\"'")
    if not is_secret_name(name.lstrip("-")) or not value or value.startswith("$") or value == MASK:
        return found[0]
    return found[0][: found.start("value") - found.start()] + MASK
