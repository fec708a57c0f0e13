"""The `carboy` command: a group that knows its words and loads one only when it is used."""

import importlib
import os
import signal
import sys
import traceback
from typing import Any, Final

import click

from carboy import __version__
from carboy.errors import EXIT_BUG, CarboyError

# word -> (module below carboy.cli, one line of help). Listed in this order; a word that is not built is not listed.
WORDS: Final = {
    "init": ("init", "Write carboy.toml for a project, after looking at it and trying it."),
    "inspect": ("inspect", "Say what a project is, by reading it only."),
    "config": ("config", "Show every setting with the layer it comes from."),
    "explain": ("explain", "Explain a key of carboy.toml or the code of a warning."),
    "targets": ("targets", "Show the targets and the words each knows."),
    "up": ("up", "Take the project to production on this machine."),
    "down": ("down", "Stop what `up` started."),
    "status": ("status", "Show what runs and how it is."),
    "logs": ("logs", "Show the logs of all processes as one stream."),
    "ps": ("ps", "Show the processes with their memory."),
    "run": ("run", "Run one command in the app's environment."),
    "shell": ("shell", "Open a Python shell with the app at hand."),
}


class LazyGroup(click.Group):
    """Help and completion come from the table; the module of a word is imported when the word is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(WORDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in WORDS:
            return None
        module = importlib.import_module(f"carboy.cli.{WORDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Words"):
            formatter.write_dl([(word, line) for word, (_, line) in WORDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as fault:
            raise _with_nearest(fault, args[0], ctx) from fault


def _with_nearest(fault: click.UsageError, word: str, ctx: click.Context) -> click.UsageError:
    import difflib  # only where a word is wrong

    near = difflib.get_close_matches(word, WORDS, n=1)
    return click.UsageError(f"{fault.message} Did you mean {near[0]}?" if near else fault.message, ctx)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="carboy")
def group() -> None:
    """Takes a Flask project, as it is, to production.

    Three commands: `carboy inspect` says what the project is, `carboy init` writes the plan, `carboy up` serves it.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the right code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code. SIGTERM and SIGHUP end it as Ctrl-C does: tidied up."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), _interrupt)
    try:
        result: Any = group.main(args=arguments, prog_name="carboy", standalone_mode=False)
    except CarboyError as fault:
        return _report(fault, arguments)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as fault:
        return _report_usage(fault, arguments)
    except BrokenPipeError:
        return _quiet_pipe()
    except Exception:  # the last place where a bug of ours can be told from a user's mistake
        return _report_bug()
    return result if isinstance(result, int) else 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _report(fault: CarboyError, arguments: list[str] | None) -> int:
    from carboy.cli.output import show_fault  # `--help` must stay light

    show_fault(fault, as_json=_wants_json(sys.argv[1:] if arguments is None else arguments))
    return fault.exit_code


def _report_usage(fault: click.ClickException, arguments: list[str] | None) -> int:
    fault.show()
    if _wants_json(sys.argv[1:] if arguments is None else arguments):
        from carboy.cli.output import show_json  # `--help` must stay light

        error = {"what": fault.format_message(), "where": "command line", "hint": "carboy --help", "details": []}
        show_json({"schema": 1, "error": error, "exit_code": fault.exit_code})
    return fault.exit_code


def _wants_json(arguments: list[str]) -> bool:
    """Whether the command was asked for JSON: its failure is then told in JSON as well."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in before or "--format=json" in before or ("--format" in before and "json" in before)


def _quiet_pipe() -> int:
    """The reader went away (`carboy logs | head`): no complaint, also not from the interpreter's last flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _report_bug() -> int:
    click.echo("error: this is a bug in Carboy, not in your project", err=True)
    click.echo(traceback.format_exc(), err=True)
    click.echo(f"try: report it with the lines above (carboy {__version__}, Python {sys.version.split()[0]})", err=True)
    return EXIT_BUG
