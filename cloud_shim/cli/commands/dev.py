"""`lamplight dev PATH`: deploy a folder at each save, and show what the device does with it."""

import _thread
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from cloud_shim.cli.commands import layer
from cloud_shim.cli.lines import release
from cloud_shim.cli.live import Live
from cloud_shim.cli.options import Options, choose_device, command, device_option, existing_folder
from cloud_shim.cli.release.packing import pack
from cloud_shim.cli.release.pushing import push
from device.errors import LamplightError
from device.protocol.layer import REQUIREMENTS

_IDLE = 250  # milliseconds between two looks when nothing is saved


class Sent(NamedTuple):
    """What the device was given last: the packed folder, its requirements.txt, and the layer made of that."""

    archive: bytes = b""
    requirements: bytes = b""
    layer: dict[str, Any] = {}


@command("dev")
@click.argument("path")
@device_option
def run(options: Options, path: str, device: str) -> None:
    """Send PATH to a device now and at each save, and show its decisions and logs until Ctrl-C."""
    folder = existing_folder(path)
    device = choose_device(options.client, device)
    options.client.device(device)  # a misspelt name is an error now, not at each save
    Live(options.client.url, options.terminal, _thread.interrupt_main, device).start()
    sent = Sent()
    for _ in saves(folder):
        sent = redeploy(options, folder, device, sent)


def redeploy(options: Options, folder: Path, device: str, sent: Sent) -> Sent:
    """Send the folder unless it is what was `sent` before; gives what is sent now. An error is shown, not raised."""
    try:
        archive = pack(folder)
        if archive == sent.archive:
            return sent
        requirements = _requirements(folder)
        # Choosing wheels takes seconds: not at each save.
        needs = sent.layer if requirements == sent.requirements else layer.send(options, folder, device)
        stored = push(options.client, archive)
        generation = options.client.deploy(device, stored, layer=needs)
    except LamplightError as error:
        options.terminal.error(error)
        return sent
    name = release(stored["name"], stored["version"])
    options.terminal.say(("deploy  ", "bold"), f"{name} to {device} as generation {generation}")
    return Sent(archive, requirements, needs)


def _requirements(folder: Path) -> bytes:
    file = folder / REQUIREMENTS
    return file.read_bytes() if file.is_file() else b""


def saves(folder: Path) -> Iterator[None]:
    """Once at the start, and then after each save; what is saved while the caller works is not missed."""
    import watchfiles

    begun = False
    for changes in watchfiles.watch(folder, yield_on_timeout=True, rust_timeout=_IDLE):
        if changes or not begun:
            begun = True
            yield
