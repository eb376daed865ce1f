"""`flash.py write IMAGE [DEVICE]`: an image onto a card, verified."""

import sys
from pathlib import Path

import click

from cloud_shim.cli.options import Options, command
from cloud_shim.cli.terminal import Terminal
from device.errors import RejectedError, UsageError
from flashing import disks, writing


@command("write")
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("device", default="")
@click.option("--yes", is_flag=True, help="Do not ask before everything on the card is lost.")
def run(options: Options, image: Path, device: str, yes: bool) -> None:
    """Write IMAGE to the card at DEVICE, such as /dev/sdb, and compare the card with it then.

    DEVICE may be left out when there is one card only.
    """
    card(options.terminal, image, device, yes)


def card(terminal: Terminal, image: Path, device: str, yes: bool) -> None:
    """Write `image` to the card at `device` ("" for the only one), after asking unless `yes`."""
    size = writing.check_image(image)
    known = disks.disks()
    disk = disks.find(device, known) if device else disks.only_reader(known)
    disks.refuse(disk, size)
    if not yes:
        _ask(disk)

    def progress(what: str, done: int, of: int) -> None:
        terminal.transient(f"{what} {done * 100 // of} % of {of / 1e6:.0f} MB")

    digest = writing.write(image, Path(disk.path), progress)
    told = {"image": str(image), "card": disk.path, "size": size, "sha256": digest}
    terminal.data(told, [(f"{disk.path} holds {image}, verified. Put it into the board.", "")])


def _ask(disk: disks.Disk) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"Everything on {disk.path} ({disk.title}) would be lost", "nobody is there to ask", "--yes")
    if not click.confirm(f"Everything on {disk.path} ({disk.title}) will be lost. Write?", err=True):
        raise RejectedError("Nothing was written", "you said no")
