"""Command lines of plans and Procfiles as words: quotes and variables as in a shell, its operators refused."""

import re
import shlex
from collections.abc import Mapping

from carboy.errors import UsageFault

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")
_OPERATORS = frozenset({"|", "||", ";", "&", ">", ">>", "<", "<<", "2>&1", "2>"})


def split_commands(text: str, variables: Mapping[str, str], *, where: str) -> list[tuple[str, ...]]:
    """The commands of a line joined by `&&`, each as its words, with `$NAME` and `${NAME:-default}` filled in.

    Raises UsageFault at an operator that only a shell understands, at an open quote and at an empty command.
    """
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = list(lexer)
    except ValueError as fault:
        raise UsageFault(f"cannot be read: {fault}", where=where, hint="close the quote") from fault
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "&&":
            commands.append([])
        elif word in _OPERATORS:
            raise UsageFault(
                f"`{word}` needs a shell", where=where, hint="put the line into a script and name the script here"
            )
        else:
            commands[-1].append(fill(word, variables))
    if not all(commands):
        raise UsageFault("empty", where=where, hint="name what starts it, such as: python worker.py")
    return [tuple(command) for command in commands]


def split_command(text: str, variables: Mapping[str, str], *, where: str) -> tuple[str, ...]:
    """As `split_commands`, where only one is allowed; leading `NAME=value` words are refused with the reason."""
    commands = split_commands(text, variables, where=where)
    if len(commands) > 1:
        raise UsageFault("`&&` joins two commands", where=where, hint="put the first into release.commands")
    return commands[0]


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$NAME`, `${NAME}` and `${NAME:-default}`; what is not set becomes empty, as in a shell."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], found[3] or ""), text)
