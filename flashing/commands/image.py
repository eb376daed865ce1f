"""`flash.py image`: a card image for one device, from the image of an operating system."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import boards
from boards import Board
from cloud_shim.cli.options import Options, command
from cloud_shim.cli.up.provision import FLEET
from device.errors import UsageError
from flashing import agent, card, disks, identity, networks, secrets
from flashing.commands import write
from flashing.firstboot import MOUNTED, Settings
from flashing.identity import Identity
from flashing.networks import OPEN, TRANSITION, WPA2, WPA3, Networks
from flashing.networks import file as networks_file

_FILE = click.Path(path_type=Path)


@command("image")
@click.option("--board", "board_name", required=True, metavar="BOARD", help="The kind of board: `flash.py list`.")
@click.option("--base", required=True, type=_FILE, metavar="FILE", help="Raspberry Pi OS, as .img or .img.xz.")
@click.option("--name", required=True, help="The device's name in the fleet, and its host name.")
@click.option("--broker", required=True, metavar="HOST[:PORT]", help="The broker, as the board's network knows it.")
@click.option("--no-tls", is_flag=True, help="The broker has no TLS: passwords and data cross the network in clear.")
@click.option("-o", "--output", required=True, type=_FILE, metavar="FILE", help="The card image to make.")
@click.option("--wifi", "ssid", default="", metavar="SSID", help="Wi-Fi; its password is asked for.")
@click.option("--wifi-password-file", type=_FILE, metavar="FILE", help=f"Instead of asking, or {secrets.VARIABLE}.")
@click.option("--wifi-country", default="", metavar="CC", help="Which country's rules the radio keeps: DE, US.")
@click.option(
    "--wifi-security",
    type=click.Choice([WPA2, TRANSITION, WPA3, OPEN]),
    default=TRANSITION,
    show_default=True,
    help="How the network lets the board in; transition: by WPA2, or WPA2 and WPA3 side by side.",
)
@click.option("--wifi-hidden", is_flag=True, help="The network does not show its name.")
@click.option(
    "--networks", "networks_file", type=_FILE, metavar="FILE", help="Several networks, accounts and addresses, as TOML."
)
@click.option("--ssh-key", type=_FILE, metavar="FILE", help="The public key of who may log in.")
@click.option(
    "--identity", "folder", type=_FILE, metavar="FOLDER", help="`password`, `roots/` and `ca.pem`, not the shim."
)
@click.option("--no-token", is_flag=True, help="The board waits until somebody accepts it: `lamplight devices accept`.")
@click.option("--fleet", default=FLEET, show_default=True)
@click.option("--first-boot", type=click.Choice(["cloud-init", "firstrun"]), default=None, help="Not as detected.")
@click.option(
    "--python", "pythons", multiple=True, metavar="3.N", help="The image's Python; 3.11 and 3.13 if not given."
)
@click.option("--again", is_flag=True, help="Replace the output file, and the device of that name.")
@click.option("--replace", is_flag=True, help="Settings for the first boot that are on the image already are lost.")
@click.option("--write", "to", metavar="DEVICE", default="", help="Write it to this card then, after asking.")
@click.option("--yes", is_flag=True, help="With --write: do not ask before everything on the card is lost.")
def run(options: Options, **asked: Any) -> None:
    """Make a card image for one device: the agent with all its libraries, its identity, and first-boot settings."""
    image = _Asked(**asked)
    board = boards.load(image.board_name)
    identity.check_names(image.name, image.fleet)
    maker = _Maker(options, board, image)
    if image.to:
        # Before the minutes of making an image.
        disks.refuse(disks.find(image.to, disks.disks()), 0)
    terminal = options.terminal

    def progress(read: int) -> None:
        terminal.transient(f"unpacking {read * 100 // max(image.base.stat().st_size, 1)} %")

    mechanism = card.make(image.base, image.output, maker.plan, maker.bring, progress, image.again)
    told = {"image": str(image.output), "device": image.name, "board": board.name, "first_boot": mechanism}
    of = f"{image.output} is the card of {image.name}"
    terminal.data(told, [(f"{of}; it is configured by {mechanism}. Keep it to yourself.", "")])
    if image.to:
        write.card(terminal, image.output, image.to, image.yes)


@dataclass(frozen=True)
class _Asked:
    """The command's options, each under its own name."""

    board_name: str
    base: Path
    name: str
    broker: str
    no_tls: bool
    output: Path
    ssid: str
    wifi_password_file: Path | None
    wifi_country: str
    wifi_security: str
    wifi_hidden: bool
    networks_file: Path | None
    ssh_key: Path | None
    folder: Path | None
    no_token: bool
    fleet: str
    first_boot: str | None
    pythons: tuple[str, ...]
    again: bool
    replace: bool
    to: str
    yes: bool


class _Maker:
    """Makes the image: the options are checked before any work, the files fetched once the image is checked."""

    def __init__(self, options: Options, board: Board, asked: _Asked) -> None:
        self._options, self._board, self._asked = options, board, asked
        self._broker = identity.broker(asked.broker, not asked.no_tls)
        if asked.folder is None:
            # Asked now, and again when the identity is made, minutes later.
            identity.check_reach(options.client, self._broker)
        self._pythons = agent.check_pythons(asked.pythons)
        key = secrets.public_key(asked.ssh_key) if asked.ssh_key else ""
        settings = Settings(asked.name, self._networks(), key)
        self.plan = card.Plan(board, settings, asked.first_boot or "", asked.replace)

    def bring(self) -> Mapping[str, bytes]:
        """Everything for our folder on the card. The identity comes last, for its token ends."""
        archives = agent.archives(self._board.machine, self._pythons, self._options.terminal.say)
        files = self._identity().files(self._board.name, self._broker)
        return {**archives, **agent.own_files(), **files}

    def _identity(self) -> Identity:
        asked = self._asked
        if asked.folder is not None:
            return identity.from_folder(asked.folder, asked.name, asked.fleet)
        client, token = self._options.client, not asked.no_token
        return identity.from_shim(client, asked.name, asked.fleet, self._broker, asked.again, token)

    def _networks(self) -> Networks:
        asked = self._asked
        if asked.networks_file is not None:
            if asked.ssid:
                raise UsageError(
                    "--wifi and --networks exclude each other", "", "write the network into the file as well"
                )
            return networks_file.read(asked.networks_file, MOUNTED)
        if not asked.ssid:
            return Networks()
        if not asked.wifi_country:
            raise UsageError("Which country is the board in?", "the radio keeps its rules", "--wifi-country DE")
        password = "" if asked.wifi_security == OPEN else secrets.wifi_password(asked.wifi_password_file)
        joined = networks.wifi(asked.ssid, password, asked.wifi_security, asked.wifi_hidden)
        return Networks(networks.country(asked.wifi_country), (joined,))
