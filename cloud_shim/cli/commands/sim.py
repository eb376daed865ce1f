"""`lamplight sim …`: the light around a simulated device, a hand over its sensor, the sensor's cable, its inputs."""

import math
from typing import Any

import click

from cloud_shim.cli import reaction
from cloud_shim.cli.options import Options, choose_device, command, device_option
from device.errors import UsageError

ACTIONS: dict[str, dict[str, object]] = {
    "light": {},
    "cover": {"covered": True},
    "uncover": {"covered": False},
    "unplug": {"unplugged": True},
    "plug": {"unplugged": False},
    "low": {"level": False},
    "high": {"level": True},
    "open": {"level": None},
    "show": {},
}
_INPUTS = ("low", "high", "open")


@command("sim")
@click.argument("action", type=click.Choice(list(ACTIONS)))
@click.argument("value", metavar="[LUX|PIN]", default="")
@device_option
def run(options: Options, action: str, value: str, device: str) -> None:
    """Change the surroundings of a simulated device's sensor and inputs, or show them.

    `light LUX` sets the light in the room; `cover` and `uncover` put a hand over the sensor and take it away; `unplug`
    and `plug` are the sensor's cable. `low PIN` connects an input to ground, as a pressed button does, `high PIN` to
    the supply, and `open PIN` disconnects it. `show` changes nothing. A change is shown once the board has acted on it.
    """
    changes = parse_action(action, value)
    device = choose_device(options.client, device)
    world = _change(options, device, changes) if changes else options.client.world(device)
    options.terminal.data(world, [(describe(world), "")])


def _change(options: Options, device: str, changes: dict[str, object]) -> dict[str, Any]:
    """The WORLD once the board has acted on the change: before, its outputs would still be those of the old light."""
    client = options.client
    about = client.device(device)
    triggers = {name: client.source(device, name)["triggers"] for name in about["desired"]["functions"]}
    before, newest = client.world(device), reaction.last_id(client, device)
    changed = client.set_world(device, changes)
    wanted = reaction.expected(before, changes, triggers)
    if wanted is None:
        return changed
    if not about["online"]:
        options.terminal.say(f"{device} is not online: what it makes of this is not known here")
    elif not reaction.wait(client, device, newest, wanted):
        options.terminal.say(f"{device} has not answered to this within {reaction.PATIENCE:g} s; this is how it is now")
    elif wanted.plugged is False:
        options.terminal.say("What its functions drive goes to its safe level 5 s after the last reading")
    return client.world(device)


def parse_action(action: str, value: str) -> dict[str, object]:
    """The action's changes of the WORLD; {} for "show". Raises UsageError for a `value` unfit for the action."""
    if action == "light":
        return {"lux": _lux(value)}
    if action in _INPUTS:
        if not value:
            raise UsageError(f"Which input shall be {action}?", "", f"`lamplight sim {action} button`")
        return {"pin": value, **ACTIONS[action]}
    if value:
        raise UsageError(f"`sim {action}` takes no {value!r}", "", f"`lamplight sim light {value}`")
    return ACTIONS[action]


def _lux(text: str) -> float:
    try:
        lux = float(text)
    except ValueError:
        lux = math.nan
    if not 0 <= lux < math.inf:
        raise UsageError(f"{text!r} is no light", "It is a number of lux from 0 on", "`lamplight sim light 500`")
    return lux


def describe(world: dict[str, Any]) -> str:
    """The WORLD in one line."""
    levels = [f"{name} {'on' if level else 'off'}" for name, level in sorted(world["pins"].items())]
    sensor = [word for word in ("covered", "unplugged") if world[word]]
    return ", ".join([f"{world['lux']:g} lux", *sensor, *levels])
