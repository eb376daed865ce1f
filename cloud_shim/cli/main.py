"""The command `lamplight`: the table of its commands, and how their errors end.

A command's module is imported only when it runs, to keep each start quick. Exit codes: 0 done, 1 failed,
2 wrong usage, 3 not found, 4 offline or too late, 5 rejected (device/errors.py). Standard output is data, standard
error is everything else. To add a command, write commands/<name>.py with a `run` in it and a line in COMMANDS.
"""

import importlib
import io
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import click

from cloud_shim.cli import extras
from cloud_shim.cli.options import Options, common_options
from device import version
from device.errors import LamplightError, UsageError

COMMANDS = {
    "up": "Start a broker, the shim and a simulated device on this machine.",
    "demo": "Show the whole loop without hands, and check each step.",
    "new": "Start a function from a starter.",
    "import": "Make a function out of one of AWS Lambda or Tencent SCF.",
    "deploy": "Send a function or a model to a device.",
    "dev": "Deploy a folder again at each save.",
    "devices": "List the devices.",
    "status": "Show what a device runs and how it fares.",
    "logs": "Show what devices and functions log.",
    "record": "Fetch what a function was given and decided.",
    "replay": "Run a function over what was recorded.",
    "test": "Run a function's own tests, on a simulated board.",
    "call": "Run a function once and show its result.",
    "rollback": "Return a device to what it ran before.",
    "withdraw": "Withdraw a release: no device runs it any more.",
    "remove": "Take a function or a model from a device.",
    "upgrade": "Give a device a new version of the agent.",
    "sbom": "Give a release's or a device's bill of materials.",
    "exposure": "Show which boards run a package, or what an advisory names.",
    "doctor": "Look at what must be right, and say what to do.",
    "console": "Give a link that opens the console, signed in.",
    "token": "Show, make and end the tokens of people and programs.",
    "keys": "Show, move and renew the keys that sign.",
    "sim": "Change the light around a simulated device.",
}
_INTERRUPTED = 130  # 128 + SIGINT
_PIPE_CLOSED = 141  # 128 + SIGPIPE


def version_option() -> click.Option:
    """--version: the version of this Lamplight."""

    def tell(context: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            this = version.this()
            context.ensure_object(Options).terminal.data({"version": this}, [(f"lamplight {this}", "")])
            context.exit()

    return click.Option(["--version"], is_flag=True, expose_value=False, callback=tell, help="Show the version.")


class Commands(click.Group):
    """The commands of `table`, each imported from `package` when it is asked for; listing them imports none."""

    def __init__(self, table: Mapping[str, str], package: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the table's order."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`."""
        if cmd_name not in self._table:
            return None
        return importlib.import_module(f"{self._package}.{cmd_name}").run

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, in the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))


lamplight = Commands(
    COMMANDS,
    "cloud_shim.cli.commands",
    "lamplight",
    params=[*common_options(), version_option()],
    help="Serverless for devices: push a small function or a model to a board, and it keeps running offline.",
)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or a pipe whose encoding lacks "ä" or "→" gets a "?" instead of a traceback.
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], program: Commands = lamplight) -> int:
    """Run one command line of `program`; gives the exit code."""
    options = Options()
    try:
        # In place of click's own `main`, with our own end for interrupts and closed pipes.
        with program.make_context(program.name, list(arguments) or ["--help"], obj=options) as context:
            program.invoke(context)
        sys.stdout.flush()
        return 0
    except click.ClickException as error:
        return _fail(options, UsageError(error.format_message(), "", _help(error, program)))
    except click.exceptions.Exit as end:
        return end.exit_code
    except LamplightError as error:
        return _fail(options, error)
    except BrokenPipeError:
        # The reader has had enough; the interpreter's own flush at the end must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except ModuleNotFoundError as error:
        return _fail(options, extras.missing(error))
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return _fail(options, LamplightError("Something went wrong that should not", why, "--debug shows where"))


def _fail(options: Options, error: LamplightError) -> int:
    if options.debug:
        traceback.print_exc()
    options.terminal.error(error)
    return error.exit_code


def _help(error: click.ClickException, program: Commands) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{context.command_path if context else program.name} --help`"


if __name__ == "__main__":
    main()
