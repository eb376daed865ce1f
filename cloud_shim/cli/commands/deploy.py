"""`lamplight deploy PATH`: check a folder here, send it, and wait for the device's answer."""

import time
from pathlib import Path

import click

from cloud_shim.cli.commands import layer
from cloud_shim.cli.commands.form import for_agent
from cloud_shim.cli.following import follow, waiting_options
from cloud_shim.cli.lines import release
from cloud_shim.cli.options import (
    Options,
    choose_device,
    command,
    device_option,
    existing_folder,
    parse_config,
)
from cloud_shim.cli.release.left_out import IGNORE
from cloud_shim.cli.release.packing import declared_settings, left_out, pack
from cloud_shim.cli.release.pushing import push
from device.protocol.deployment import MAX_TRIAL_EVENTS, MAX_TRIAL_SECONDS


@command("deploy")
@click.argument("path")
@device_option
@click.option("--set", "pairs", metavar="KEY=VALUE", multiple=True, help="Configure the function; VALUE may be JSON.")
@click.option("--trial-seconds", type=click.FloatRange(0, MAX_TRIAL_SECONDS), help="How long it must prove itself.")
@click.option(
    "--trial-events", type=click.IntRange(0, MAX_TRIAL_EVENTS), help="How many events it must handle before that."
)
@click.option("--retry", is_flag=True, help="Have it tried once more, though it failed its trial on the device before.")
@click.option("--explain", is_flag=True, help="Only show the packages it would get, and why; nothing is sent.")
@layer.allow_build_option
@waiting_options
def run(
    options: Options,
    path: str,
    device: str,
    pairs: tuple[str, ...],
    trial_seconds: float | None,
    trial_events: int | None,
    retry: bool,
    explain: bool,
    sources: bool,
    wait: bool,
    timeout: float,
) -> None:
    """Send the function or model in PATH to a device, and wait until it runs there."""
    started = time.monotonic()
    config = parse_config(pairs, declared_settings(existing_folder(path)))
    if explain:
        layer.explain(options, Path(path), choose_device(options.client, device), sources)
        return
    archive = pack(Path(path), config)
    if left := left_out(Path(path)):
        options.terminal.say(f"left out: {', '.join(left)} ({IGNORE} has the last word)")
    device = choose_device(options.client, device)
    archive = for_agent(options, archive, Path(path), device)
    built = layer.build(options, Path(path), device, sources)
    sent = push(options.client, archive, device)
    needs = layer.send(options, built)
    asked = {"seconds": trial_seconds, "events": trial_events}
    trial = {key: value for key, value in asked.items() if value is not None}
    generation = options.client.deploy(device, sent, config, trial or None, retry, needs)
    name = release(sent["name"], sent["version"])
    options.terminal.say(f"{name} ({sent['length']:,} bytes) to {device} as generation {generation}")
    about = {key: sent[key] for key in ("kind", "name", "version", "sha256", "length")}
    follow(options, device, generation, about, started, wait, timeout)
