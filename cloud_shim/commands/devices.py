"""`lamplight devices`: every device in a table."""

import time
from typing import Any

from cloud_shim import words
from cloud_shim.commands.arguments import Options, command
from cloud_shim.lines import release

HEADINGS = ("DEVICE", "BOARD", "SEEN", "GENERATION", "FUNCTIONS", "MODELS")


@command("devices")
def run(options: Options) -> None:
    """List the devices: whether they are online, and what they run."""
    devices = options.client.devices()
    now = time.time()
    options.terminal.table({"devices": devices}, [row(each, now) for each in devices], HEADINGS)
    if not devices:
        options.terminal.say("No device yet; `lamplight up` starts a simulated one.")


def row(device: dict[str, Any], now: float) -> list[str]:
    """The cells for one DEVICE. "6 → 7" is a device that runs generation 6 and is asked for 7."""
    reported: dict[str, Any] = device["reported"] or {"generation": 0, "functions": {}, "models": {}}
    running, asked = reported["generation"], device["desired"]["generation"]
    return [
        device["name"],
        device["board"],
        _seen(device, now),
        str(running) if running == asked else f"{running} → {asked}",
        ", ".join(release(name, each["version"]) for name, each in reported["functions"].items()) or "-",
        ", ".join(release(name, each["version"]) for name, each in reported["models"].items()) or "-",
    ]


def _seen(device: dict[str, Any], now: float) -> str:
    if device["online"]:
        return "online"
    told = words.ago(device["last_seen"], now)
    return f"silent, {told}" if device["silent"] else told
