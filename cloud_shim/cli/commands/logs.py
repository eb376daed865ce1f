"""`lamplight logs`: the logs of devices and functions, with their updates, crashes and sensors."""

import time
from collections.abc import Iterator
from typing import Any

import click

from cloud_shim.cli import lines, log_filter
from cloud_shim.cli.log_filter import Filter
from cloud_shim.cli.options import Options, command, known_functions, no_function, parse_target

# Readings and decisions come several times a second; they are the console's plot, not a log.
STREAMS = ("logs", "events")
_MOST = 5000  # the shim's limit of records of a stream in one answer


@command("logs")
@click.argument("target", metavar="[DEVICE[/FUNCTION]]", default="")
@click.option("--tail", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "count", type=click.IntRange(0, _MOST), default=50, show_default=True, help="How many past lines.")
@click.option("--level", type=click.Choice(log_filter.LEVELS), default=None, help="Only lines of this level or worse.")
@click.option("--since", metavar="WHEN", default="", help="Only lines from then on: 10m, 2h, 1d, 07:30, 2026-06-01.")
@click.option("--grep", metavar="REGEX", default="", help="Only lines with this in their text.")
def run(options: Options, target: str, tail: bool, count: int, level: str | None, since: str, grep: str) -> None:
    """Show the logs of devices and functions, and the events around them: updates, crashes, sensors."""
    device, function = parse_target(target)
    filter = log_filter.asked(level or "", since, grep, time.time())
    known = known_functions(options.client.device(device)) if device else []
    place = _newest(options)
    past, any_at_all = _past(options, (device, function), count, place, filter)
    if function and not any_at_all and function not in known:
        raise no_function(device, function, known)
    for each in past:
        options.terminal.data(each, lines.record(each))
    if tail:
        _tail(options, device, function, str(place), filter)


def _past(
    options: Options, target: tuple[str, str], count: int, place: int, filter: Filter
) -> tuple[list[dict[str, Any]], bool]:
    """The last `count` wanted records up to the id `place`, and whether there are any unwanted or wanted ones."""
    found: list[dict[str, Any]] = []
    seen = False
    for stream in STREAMS:
        mine: list[dict[str, Any]] = []
        for page in _pages(options, stream, target, count if filter.takes_all else _MOST):
            # The tail begins at this place and has all later records: so nothing is lost or told twice between them.
            there = [each for each in page if each["id"] <= place]
            seen = seen or bool(there)
            mine += [each for each in there if filter.takes(each)]
            if filter.takes_all or len(mine) >= count or page[-1]["received"] < filter.since:
                break
        found += mine
    found.sort(key=lambda each: each["id"])
    return (found[-count:] if count else []), seen


def _pages(options: Options, stream: str, target: tuple[str, str], size: int) -> Iterator[list[dict[str, Any]]]:
    """The records of a stream, from the newest page to the oldest; each page oldest first."""
    before: int | None = None
    while page := options.client.records(target[0], stream, target[1], max(size, 1), before=before):
        # An older shim knows no `before`: it gives the same page for ever.
        if before is not None and page[0]["id"] >= before:
            return
        before = page[0]["id"]
        yield page


def _newest(options: Options) -> int:
    """The id of the newest record of all; 0 before the first."""
    return max((each["id"] for each in options.client.records(limit=1)), default=0)


def _tail(options: Options, device: str, function: str, last_id: str, filter: Filter) -> None:
    for message in options.client.follow(device, last_id):
        if message.event == "record" and wanted(message.data, function) and filter.takes(message.data):
            options.terminal.data(message.data, lines.record(message.data))


def wanted(record: dict[str, Any], function: str) -> bool:
    """Whether a RECORD of the stream belongs in the log, of `function` or ("") of all."""
    return record["stream"] in STREAMS and (not function or record.get("function") == function)
