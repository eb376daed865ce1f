"""`lamplight call DEVICE/FUNCTION`: run a function once."""

import json

import click

from cloud_shim.cli.options import Options, command, parse_target
from device.errors import UsageError
from device.protocol.messages import CALL


@command("call")
@click.argument("target", metavar="DEVICE/FUNCTION")
@click.argument("data", metavar="[JSON]", default="")
@click.option("--data", "given", metavar="JSON", default="", help="The event's data, instead of the argument.")
@click.option("--type", metavar="TYPE", default=CALL, help=f"The event's type, as a trigger gives it (default {CALL}).")
def run(options: Options, target: str, data: str, given: str, type: str) -> None:
    """Run a function once on its device, with JSON as the event's data, and show what it returns."""
    device, function = parse_target(target)
    if not function:
        raise UsageError(f"{target!r} names no function", "", f"`lamplight call {target}/hello`")
    if given and data:
        raise UsageError("The data is given twice", "as an argument and as --data", "leave out one of them")
    try:
        value = json.loads(given or data or "null")
    except (ValueError, RecursionError) as error:
        raise UsageError("The data is not JSON", str(error), """'{"name": "Ada"}' in single quotes""") from error
    result = options.client.call(device, function, value, type)
    options.terminal.data(result, [(json.dumps(result, ensure_ascii=False, indent=2), "")])
