"""`lamplight call DEVICE/FUNCTION`: run a function once."""

import json
import sys
from pathlib import Path

import click

from cloud_shim.cli.options import Options, command, parse_target
from device.errors import NotFoundError, UsageError
from device.protocol.messages import CALL


@command("call")
@click.argument("target", metavar="DEVICE/FUNCTION")
@click.argument("data", metavar="[JSON]", default="")
@click.option(
    "--data",
    "given",
    metavar="JSON",
    default="",
    help="The event's data; @FILE takes it from a file, - from standard input.",
)
@click.option("--type", metavar="TYPE", default=CALL, help=f"The event's type, as a trigger gives it (default {CALL}).")
def run(options: Options, target: str, data: str, given: str, type: str) -> None:
    """Run a function once on its device, with JSON as the event's data, and show its result."""
    device, function = parse_target(target)
    if not function:
        raise UsageError(f"{target!r} names no function", "", f"`lamplight call {target}/hello`")
    if given and data:
        raise UsageError("The data is given twice", "as an argument and as --data", "leave out one of them")
    result = options.client.call(device, function, _value(given or data or "null"), type)
    options.terminal.data(result, [(json.dumps(result, ensure_ascii=False, indent=2), "")])


def _value(given: str) -> object:
    """The data given as JSON, or as "@FILE" (also "file://FILE") with JSON in it, "-" or "@-" for standard input."""
    said = _content(given)
    try:
        return json.loads(said)
    except (ValueError, RecursionError) as error:
        quoting = """'{"name": "Ada"}' in single quotes; where the shell has none, put it in a file and give @FILE"""
        raise UsageError("The data is not JSON", str(error), quoting) from error


def _content(given: str) -> str:
    path = given.removeprefix("file://").removeprefix("@")
    if path == given and given != "-":
        return given
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read", error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text", str(error), "save it as UTF-8") from None
