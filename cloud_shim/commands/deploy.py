"""`lamplight deploy PATH`: check a folder here, send it, and wait for what the device says."""

import time

import click

from cloud_shim.commands.arguments import (
    Options,
    choose_device,
    command,
    device_option,
    existing_folder,
    parse_config,
)
from cloud_shim.commands.following import follow, waiting_options
from cloud_shim.lines import release
from cloud_shim.packing import pack


@command("deploy")
@click.argument("path")
@device_option
@click.option("--set", "pairs", metavar="KEY=VALUE", multiple=True, help="Configure the function; VALUE may be JSON.")
@waiting_options
def run(options: Options, path: str, device: str, pairs: tuple[str, ...], wait: bool, timeout: float) -> None:
    """Send the function or model in PATH to a device, and wait until it runs there."""
    started = time.monotonic()
    config = parse_config(pairs)
    archive = pack(existing_folder(path), config)
    device = choose_device(options.client, device)
    sent = options.client.release(archive)
    generation = options.client.deploy(device, sent, config)
    name = release(sent["name"], sent["version"])
    options.terminal.say(f"{name} ({sent['length']:,} bytes) to {device} as generation {generation}")
    about = {key: sent[key] for key in ("kind", "name", "version", "sha256", "length")}
    follow(options, device, generation, about, started, wait, timeout)
