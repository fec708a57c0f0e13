"""`carboy explain`."""

from collections.abc import Iterator

import click

from carboy.cli.options import json_option, wants_json
from carboy.cli.output import show_json
from carboy.errors import EXIT_DONE
from carboy.workflows.explain import (
    SCHEMA,
    Explained,
    default_text,
    explain,
    explained_to_json,
    key_to_json,
    known_codes,
    known_keys,
    variable_of,
    wants,
)


@click.command()
@click.argument("word", required=False)
@json_option
def command(word: str | None, as_json: bool) -> int:
    """Explain WORD: a key of carboy.toml (server.workers), a table of it (server) or the code of a warning.

    Without WORD, every key and every code is listed.
    """
    as_json = wants_json(as_json)
    if word is None:
        _show_all(as_json=as_json)
        return EXIT_DONE
    explained = explain(word)
    if as_json:
        show_json(explained_to_json(explained))
    else:
        click.echo("\n".join(_lines(explained)))
    return EXIT_DONE


def _show_all(*, as_json: bool) -> None:
    if as_json:
        codes = [{"name": code, "meaning": about.meaning, "remedy": about.remedy} for code, about in known_codes()]
        show_json({"schema": SCHEMA, "keys": [key_to_json(key) for key in known_keys()], "codes": codes})
        return
    for key in known_keys():
        click.echo(f"{key.name:<32} {key.help}")
    for code, about in known_codes():
        click.echo(f"{code:<32} {about.meaning}")


def _lines(explained: Explained) -> Iterator[str]:
    if explained.warning is not None:
        yield from (explained.word, f"  {explained.warning.meaning}", f"  What to do: {explained.warning.remedy}")
    elif explained.section is not None:
        yield f"[{'.'.join('<name>' if part == '*' else part for part in explained.section.path)}]"
        yield f"  {explained.section.help}"
        yield from (f"  {key.path[-1]:<26} {key.help}" for key in explained.section.keys if key.path[-1] != "*")
        if explained.section.names_form:
            yield f"  names: {explained.section.names_form}"
    elif explained.key is not None:
        key = explained.key
        yield from (key.name, f"  {key.help}", f"  wants:    {wants(key)}", f"  default:  {default_text(key)}")
        if key.example:
            yield f"  example:  {key.example}"
        yield f"  variable: {variable_of(key)}"
