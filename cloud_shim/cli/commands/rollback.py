"""`lamplight rollback DEVICE`: back to the deployment before the present one."""

import time

import click

from cloud_shim.cli.following import follow, waiting_options
from cloud_shim.cli.options import Options, command


@command("rollback")
@click.argument("device")
@waiting_options
def run(options: Options, device: str, wait: bool, timeout: float) -> None:
    """Return DEVICE to the deployment before its present one, as a new generation."""
    started = time.monotonic()
    generation = options.client.rollback(device)
    follow(options, device, generation, {}, started, wait, timeout)
