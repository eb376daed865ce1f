"""`lamplight sim light …`: the light around a simulated device, and its sensor's cable."""

import math
from typing import Any

import click

from cloud_shim.commands.arguments import Options, choose_device, command, device_option
from device.errors import UsageError

WORDS: dict[str, dict[str, object]] = {
    "cover": {"covered": True},
    "uncover": {"covered": False},
    "unplug": {"unplugged": True},
    "plug": {"unplugged": False},
    "show": {},
}


@command("sim")
@click.argument("sensor", type=click.Choice(["light"]))
@click.argument("action", metavar=f"LUX|{'|'.join(WORDS)}")
@device_option
def run(options: Options, sensor: str, action: str, device: str) -> None:
    """Change what a simulated device's sensor sees, or show it: `lamplight sim light 500`."""
    changes = parse_action(action)
    device = choose_device(options.client, device)
    world = options.client.set_world(device, changes) if changes else options.client.world(device)
    options.terminal.data(world, [(describe(world), "")])


def parse_action(action: str) -> dict[str, object]:
    """What `action` changes in the WORLD; nothing for "show"."""
    if action in WORDS:
        return WORDS[action]
    try:
        lux = float(action)
    except ValueError:
        lux = math.nan
    if not 0 <= lux < math.inf:
        raise UsageError(f"{action!r} is no light", f"expected lux from 0 on, or one of {', '.join(WORDS)}")
    return {"lux": lux}


def describe(world: dict[str, Any]) -> str:
    """The WORLD in one line."""
    levels = [f"{name} {'on' if level else 'off'}" for name, level in sorted(world["pins"].items())]
    sensor = [word for word in ("covered", "unplugged") if world[word]]
    return ", ".join([f"{world['lux']:g} lux", *sensor, *levels])
