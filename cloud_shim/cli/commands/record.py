"""`lamplight record DEVICE/FUNCTION`: a function's events, readings and decisions, as a trace to replay.

The board records always: unsent records wait in its bounded outbox, and the shim keeps the others. The command only
fetches them.
"""

import contextlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from cloud_shim.cli import lines
from cloud_shim.cli.options import Options, command, known_functions, no_function, parse_target
from cloud_shim.words import amounts
from device.errors import NotFoundError, UsageError
from device.replay import trace
from device.replay.trace import Header

KINDS = ("decision", "failure")
_MOST = 5000  # the shim's limit of records in one answer, and so the furthest look back


@command("record")
@click.argument("target", metavar="DEVICE/FUNCTION")
@click.option("-o", "--output", metavar="FILE", default="", help="Where the trace goes; standard output without it.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, _MOST),
    default=1000,
    show_default=True,
    help="How many events, the last ones.",
)
@click.option(
    "--version",
    type=int,
    default=0,
    metavar="N",
    help="Of this release; without it, of the last one to run.",
)
def run(options: Options, target: str, output: str, count: int, version: int) -> None:
    """Write the last events of a function, with its readings and decisions, as a trace for `lamplight replay`.

    A trace is of one release with the same settings: those it ran with last.
    """
    device, function = parse_target(target)
    if not function:
        raise UsageError("Which function?", f"{target!r} names none", f"`lamplight record {target}/FUNCTION`")
    known = known_functions(options.client.device(device))
    found = [each for each in _records(options, device, function) if "given" in each]
    # The last one to run: after a rollback this is not the highest.
    version = version or (found[-1]["version"] if found else 0)
    wanted = _alike([each for each in found if each["version"] == version])[-count:]
    if not wanted:
        raise _nothing(device, function, known, sorted({each["version"] for each in found}))
    header = Header(device, function, version, options.client.settings(device, function, version, _mark(wanted[-1])))
    with _opened(output) as file:
        trace.write(file, header, wanted)
    seconds = wanted[-1]["given"]["time"] - wanted[0]["given"]["time"]
    events = amounts.counted(len(wanted), "event")
    options.terminal.say(f"{events} of {lines.release(function, version)}, over {seconds:.0f} s")


def _alike(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that met the same settings as the last one: a trace has one set of settings."""
    return [each for each in records if _mark(each) == _mark(records[-1])]


def _mark(record: dict[str, Any]) -> str:
    return record["given"].get("settings", "")


def _nothing(device: str, function: str, known: list[str], versions: list[int]) -> NotFoundError:
    if versions:
        there = ", ".join(lines.release(function, each) for each in versions)
        return NotFoundError(f"{device} has no events of that release", f"the last {_MOST:,} are of: {there}")
    if function not in known:
        return no_function(device, function, known)
    why = "no event of a trigger has reached it yet; calls and HTTP requests are recorded if its function.toml says so"
    fix = "Look at `lamplight logs`, or deploy it with `record_calls = true`"
    return NotFoundError(f"{device}/{function} has recorded nothing", why, fix)


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


def _records(options: Options, device: str, function: str) -> Iterator[dict[str, Any]]:
    for each in options.client.records(device, "telemetry", function, _MOST):
        if each["kind"] in KINDS:
            yield each
