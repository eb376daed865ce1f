"""`lamplight record DEVICE/FUNCTION`: what a function was given and what it decided, as a trace to replay.

The board records always: what it could not send yet waits in its bounded outbox, and the shim keeps the rest. This only
fetches it.
"""

import contextlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from cloud_shim import lines
from cloud_shim.commands.arguments import Options, command, known_functions, no_function, parse_target
from device.errors import NotFoundError, UsageError
from device.replay import trace
from device.replay.trace import Header

KINDS = ("decision", "failure")
_MOST = 5000  # records of a stream that the shim gives at once


@command("record")
@click.argument("target", metavar="DEVICE/FUNCTION")
@click.option("-o", "--output", metavar="FILE", default="", help="Where the trace goes; standard output without it.")
@click.option(
    "-n", "count", type=click.IntRange(1, _MOST), default=1000, show_default=True, help="How many past events."
)
@click.option(
    "--version", type=int, default=0, metavar="N", help="Of this release; without it, of the one that ran last."
)
def run(options: Options, target: str, output: str, count: int, version: int) -> None:
    """Write the last events of a function, what it read and what it decided, as a trace for `lamplight replay`."""
    device, function = parse_target(target)
    if not function:
        raise UsageError("Which function?", f"{target!r} names none", f"`lamplight record {target}/FUNCTION`")
    asked = options.client.device(device)
    found = [each for each in _records(options, device, function, count) if "given" in each]
    # Not the highest: after a rollback that one runs no more.
    version = version or (found[-1]["version"] if found else 0)
    wanted = [each for each in found if each["version"] == version]
    if not wanted:
        raise _nothing(device, function, known_functions(asked))
    desired: dict[str, Any] = asked["desired"]["functions"]
    header = Header(device, function, version, desired.get(function, {}).get("config") or {})
    with _opened(output) as file:
        trace.write(file, header, wanted)
    seconds = wanted[-1]["given"]["time"] - wanted[0]["given"]["time"]
    options.terminal.say(f"{len(wanted)} events of {lines.release(function, version)}, over {seconds:.0f} s")


def _nothing(device: str, function: str, known: list[str]) -> NotFoundError:
    if function not in known:
        return no_function(device, function, known)
    why = "no event of a trigger has reached it yet; calls and HTTP requests are not recorded"
    return NotFoundError(f"{device}/{function} has recorded nothing", why, "Look at `lamplight logs`")


@contextlib.contextmanager
def _opened(output: str) -> Generator[TextIO]:
    if not output:
        yield sys.stdout
        return
    try:
        with Path(output).open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise NotFoundError(f"The trace cannot be written to {output}", str(error)) from None


def _records(options: Options, device: str, function: str, count: int) -> Iterator[dict[str, Any]]:
    for each in options.client.records(device, "telemetry", function, count):
        if each["kind"] in KINDS:
            yield each
