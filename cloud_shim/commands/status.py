"""`lamplight status DEVICE`: what it runs, what it is asked for, and how its parts fare."""

import time
from typing import Any

import click

from cloud_shim.commands.arguments import Options, command
from cloud_shim.lines import ago, release


@command("status")
@click.argument("device")
def run(options: Options, device: str) -> None:
    """Show what DEVICE runs, what it is asked for, and how its functions and sensors fare."""
    found = options.client.device(device)
    options.terminal.table(found, rows(found, time.time()))


def rows(device: dict[str, Any], now: float) -> list[tuple[str, str]]:
    """A heading and a sentence for each thing there is to know about one DEVICE."""
    seen = "online" if device["online"] else f"offline, seen {ago(device['last_seen'], now)}"
    about = [(device["name"], f"{seen}, {device['board']}")]
    reported, asked = device["reported"], device["desired"]["generation"]
    if not reported:
        return [*about, ("generation", f"asked for {asked}; the device has not reported yet")]
    about.append(("generation", _generation(reported, asked)))
    about += [(f"function {name}", _function(name, each)) for name, each in reported["functions"].items()]
    about += [(f"model {name}", release(name, each["version"])) for name, each in reported["models"].items()]
    about += [(f"sensor {name}", each["error"] or "works") for name, each in reported["sensors"].items()]
    about += [(f"generation {number}", f"failed: {why}") for number, why in reported["failed"].items()]
    if disk := reported.get("disk"):
        about.append(("disk", f"{disk['free'] / 1e6:.0f} MB free, {disk['used'] / 1e6:.1f} MB used by Lamplight"))
    limits = ", ".join(f"{what}: {how}" for what, how in reported["confinement"].items())
    return [*about, ("agent", f"{reported['agent']}; functions are confined by {limits or 'nothing'}")]


def _generation(reported: dict[str, Any], asked: int) -> str:
    running, update = reported["generation"], reported["update"]
    told = f"{running}" if running == asked else f"{running}, asked for {asked}"
    if update["state"] != "IDLE":
        told += f"; generation {update['generation']} is {update['state']}"
    if update["reason"]:
        told += f": {update['reason']}"
    return told


def _function(name: str, told: dict[str, Any]) -> str:
    counts = f"{told['events']} events, {told['errors']} errors, {told['restarts']} restarts"
    last = f"; last error: {told['last_error']}" if told["last_error"] else ""
    return f"{release(name, told['version'])} {told['state']}, {counts}{last}"
