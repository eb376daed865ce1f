"""`flash.py image`: a card image for one device, from the image of an operating system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import boards
from boards import Board
from cloud_shim.cli.options import Options, command
from cloud_shim.cli.up.provision import FLEET
from device.errors import UsageError
from flashing import agent, card, disks, identity, secrets
from flashing.commands import write
from flashing.firstboot import Settings
from flashing.identity import Identity

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
    type=click.Choice([secrets.WPA2, secrets.WPA3, secrets.OPEN]),
    default=secrets.WPA2,
    show_default=True,
    help="How the network lets the board in; wpa2 also where it offers WPA3 beside it.",
)
@click.option("--wifi-hidden", is_flag=True, help="The network does not show its name.")
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
def run(options: Options, board_name: str, base: Path, name: str, output: Path, **chosen: Any) -> None:
    """Make a card image for one device: the agent with all its libraries, its identity, and first-boot settings."""
    board = boards.load(board_name)
    identity.check_names(name, chosen["fleet"])
    maker = _Maker(options, board, name, chosen)
    if chosen["to"]:
        # Before the minutes that an image takes.
        disks.refuse(disks.find(chosen["to"], disks.disks()), 0)
    terminal = options.terminal

    def progress(read: int) -> None:
        terminal.transient(f"unpacking {read * 100 // max(base.stat().st_size, 1)} %")

    mechanism = card.make(base, output, maker.plan, maker.bring, progress, maker.again)
    told = {"image": str(output), "device": name, "board": board.name, "first_boot": mechanism}
    terminal.data(
        told, [(f"{output} is the card of {name}; it is configured by {mechanism}. Keep it to yourself.", "")]
    )
    if chosen["to"]:
        write.card(terminal, output, chosen["to"], chosen["yes"])


class _Maker:
    """What the command line says, checked before any work is done, and fetched when the image has been."""

    def __init__(self, options: Options, board: Board, name: str, chosen: Mapping[str, Any]) -> None:
        self._options, self._board, self._name, self._chosen = options, board, name, chosen
        self.again: bool = chosen["again"]
        self._broker = identity.broker(chosen["broker"], not chosen["no_tls"])
        if chosen["folder"] is None:
            # As well as when the identity is made, which is minutes later.
            identity.check_reach(options.client, self._broker)
        self._pythons = agent.check_pythons(chosen["pythons"])
        key = secrets.public_key(chosen["ssh_key"]) if chosen["ssh_key"] else ""
        self.plan = card.Plan(board, Settings(name, self._wifi(), key), chosen["first_boot"] or "", chosen["replace"])

    def bring(self) -> Mapping[str, bytes]:
        """Everything for our folder on the card. The identity comes last, for its token ends."""
        archives = agent.archives(self._board.machine, self._pythons, self._options.terminal.say)
        files = self._identity().files(self._board.name, self._broker)
        return {**archives, **agent.own_files(), **files}

    def _identity(self) -> Identity:
        folder, fleet = self._chosen["folder"], self._chosen["fleet"]
        if folder is not None:
            return identity.from_folder(folder, self._name, fleet)
        client, token = self._options.client, not self._chosen["no_token"]
        return identity.from_shim(client, self._name, fleet, self._broker, self.again, token)

    def _wifi(self) -> secrets.Wifi | None:
        ssid, country, file = (self._chosen[each] for each in ("ssid", "wifi_country", "wifi_password_file"))
        if not ssid:
            return None
        if not country:
            raise UsageError("Which country is the board in?", "the radio keeps its rules", "--wifi-country DE")
        security, hidden = self._chosen["wifi_security"], self._chosen["wifi_hidden"]
        password = "" if security == secrets.OPEN else secrets.wifi_password(file)
        return secrets.wifi(ssid, password, country, security, hidden)
