"""`lamplight call DEVICE/FUNCTION`: run a function once."""

import json

import click

from cloud_shim.commands.arguments import Options, command, parse_target
from device.errors import UsageError


@command("call")
@click.argument("target", metavar="DEVICE/FUNCTION")
@click.argument("data", metavar="[JSON]", default="null")
def run(options: Options, target: str, data: str) -> None:
    """Run a function once on its device, with JSON as the event's data, and show what it returns."""
    device, function = parse_target(target)
    if not function:
        raise UsageError(f"{target!r} names no function", "", f"`lamplight call {target}/hello`")
    try:
        value = json.loads(data)
    except ValueError as error:
        raise UsageError("The data is not JSON", str(error), """'{"name": "Ada"}' in single quotes""") from error
    result = options.client.call(device, function, value)
    options.terminal.data(result, [(json.dumps(result, ensure_ascii=False, indent=2), "")])
