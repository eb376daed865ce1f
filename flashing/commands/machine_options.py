"""The common part of `ssh` and `local`: the options to make a running machine a device of the fleet, and doing it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from cloud_shim.cli.options import Options
from cloud_shim.cli.up.provision import FLEET
from device.errors import RejectedError, UsageError
from flashing import identity, installation
from flashing.installation import Wish
from flashing.targets import Target

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--board", metavar="BOARD", default="", help="The kind of board, if it does not show it itself."),
    click.option("--name", default="", help="The device's name in the fleet; not needed for an upgrade."),
    click.option("--broker", default="", metavar="HOST[:PORT]", help="The broker, as the machine's network knows it."),
    click.option(
        "--no-tls", is_flag=True, help="The broker has no TLS: passwords and data cross the network in clear."
    ),
    click.option(
        "--identity",
        "folder",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="`password`, `roots/` and `ca.pem`, not the shim.",
    ),
    click.option("--fleet", default=FLEET, show_default=True),
    click.option("--again", is_flag=True, help="A new identity for a machine, or a name, that has one."),
)


@dataclass(frozen=True)
class MachineOptions:
    """The values of the options. `folder` has the identity, None for one from the shim."""

    board: str
    name: str
    broker: str
    no_tls: bool
    folder: Path | None
    fleet: str
    again: bool


def options(function: _F) -> _F:
    """Gives a command all of the options; as keywords they make MachineOptions."""
    for each in reversed(_OPTIONS):
        function = each(function)
    return function


def install(options: Options, target: Target, asked: MachineOptions) -> None:
    """Install on `target` as `asked`, or upgrade it, and report the result."""
    identity.check_names(asked.name, asked.fleet)
    terminal = options.terminal

    def identify(device: str, board: str) -> Mapping[str, bytes]:
        return _identity(options, asked, device, board)

    def progress(done: int, of: int) -> None:
        terminal.transient(f"sending {done * 100 // max(of, 1)} % of {of / 1e6:.0f} MB")

    wish = Wish(asked.board, asked.name, asked.again)
    done = installation.install(target, wish, identify, terminal.say, progress)
    what = "was upgraded" if done.upgraded else "has the agent"
    told = {"machine": target.title, "device": done.device, "board": done.board, "upgraded": done.upgraded}
    terminal.data(told, [(f"{target.title} {what}: it is {done.device}, a {done.board}.", "")])


def remove(options: Options, target: Target, yes: bool) -> None:
    """Take the agent off `target`, after asking unless `yes`, and say so."""
    if not yes:
        _ask(target.title)
    device = installation.remove(target, lambda done, of: None)
    told = {"machine": target.title, "device": device}
    known = f"; {device} is still known to the fleet" if device else ""
    options.terminal.data(told, [(f"{target.title} is as it was{known}.", "")])


def _identity(options: Options, asked: MachineOptions, name: str, board: str) -> Mapping[str, bytes]:
    if not asked.broker:
        raise UsageError("Where is the broker?", "", "--broker HOST or --broker HOST:PORT")
    broker = identity.broker(asked.broker, not asked.no_tls)
    if asked.folder is not None:
        return identity.from_folder(asked.folder, name, asked.fleet).files(board, broker)
    made = identity.from_shim(options.client, name, asked.fleet, broker, asked.again)
    return made.files(board, broker)


def _ask(title: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"The device on {title} would be lost", "nobody is there to ask", "--yes")
    if not click.confirm(
        f"The agent, its functions and the device's identity on {title} will be lost. Remove?", err=True
    ):
        raise RejectedError("Nothing was removed", "you said no")
