"""`lamplight remove DEVICE/NAME`: take a function or model off a device; the rest goes on."""

import time

import click

from cloud_shim.cli.following import follow, waiting_options
from cloud_shim.cli.options import Options, command, parse_target
from device.errors import UsageError


@command("remove")
@click.argument("target", metavar="DEVICE/NAME")
@click.option("--model", is_flag=True, help="NAME is a model; without this it is a function.")
@waiting_options
def run(options: Options, target: str, model: bool, wait: bool, timeout: float) -> None:
    """Take a function, or with --model a model, from a device. A function's outputs go to their safe level."""
    started = time.monotonic()
    device, name = parse_target(target)
    kind = "model" if model else "function"
    if not device or not name:
        raise UsageError(
            f"{target!r} names no {kind}",
            "it is not of the form DEVICE/NAME",
            f"`lamplight status {device or 'DEVICE'}`",
        )
    generation = options.client.remove(device, kind, name)
    follow(options, device, generation, {"kind": kind, "name": name}, started, wait, timeout)
