"""`lamplight logs`: the logs of devices and functions, with their updates, crashes and sensors."""

from typing import Any

import click

from cloud_shim.cli import lines
from cloud_shim.cli.options import Options, command, known_functions, no_function, parse_target

# Readings and decisions come several times a second; they are the console's plot, not a log.
STREAMS = ("logs", "events")
_MOST = 5000  # the shim's limit of records of a stream in one answer


@command("logs")
@click.argument("target", metavar="[DEVICE[/FUNCTION]]", default="")
@click.option("--tail", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "count", type=click.IntRange(0, _MOST), default=50, show_default=True, help="How many past lines.")
def run(options: Options, target: str, tail: bool, count: int) -> None:
    """Show the logs of devices and functions, and the events around them: updates, crashes, sensors."""
    device, function = parse_target(target)
    known = known_functions(options.client.device(device)) if device else []
    place = _newest(options)
    found = [each for stream in STREAMS for each in options.client.records(device, stream, function, max(count, 1))]
    # The tail begins at this place and has all later records: so nothing is lost or told twice between them.
    past = [each for each in found if each["id"] <= place]
    if function and not past and function not in known:
        raise no_function(device, function, known)
    past.sort(key=lambda each: each["id"])
    for each in past[-count:] if count else []:
        options.terminal.data(each, lines.record(each))
    if tail:
        _tail(options, device, function, str(place))


def _newest(options: Options) -> int:
    """The id of the newest record of all; 0 before the first."""
    return max((each["id"] for each in options.client.records(limit=1)), default=0)


def _tail(options: Options, device: str, function: str, last_id: str) -> None:
    for message in options.client.follow(device, last_id):
        if message.event == "record" and wanted(message.data, function):
            options.terminal.data(message.data, lines.record(message.data))


def wanted(record: dict[str, Any], function: str) -> bool:
    """Whether a RECORD of the stream belongs in the log, of `function` or ("") of all."""
    return record["stream"] in STREAMS and (not function or record.get("function") == function)
