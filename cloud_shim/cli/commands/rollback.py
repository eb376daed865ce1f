"""`lamplight rollback DEVICE`: back to the state before the present deployment."""

import time

import click

from cloud_shim.cli.following import follow, waiting_options
from cloud_shim.cli.options import Options, command


@command("rollback")
@click.argument("device")
@waiting_options
def run(options: Options, device: str, wait: bool, timeout: float) -> None:
    """Return DEVICE to its functions and models before the present deployment, as a new generation."""
    started = time.monotonic()
    generation = options.client.rollback(device)
    follow(options, device, generation, {}, started, wait, timeout)
