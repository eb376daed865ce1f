"""What makes a board a device of this fleet: its password, the roots of trust, the agent's configuration.

From the shim, or from a folder where it was put before. It does not write to the card; card.py does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cloud_shim.client import Client
from device.errors import NotFoundError, RejectedError, UsageError
from flashing.secrets import secret_file

STATE = "/var/lib/lamplight"
DIRECTOR, IMAGE = "roots/director-root.json", "roots/image-root.json"


@dataclass(frozen=True)
class Broker:
    """Where the board finds the broker."""

    host: str
    port: int


@dataclass(frozen=True)
class Identity:
    """One device of `fleet`; the roots are the JSON of TUF's root metadata."""

    fleet: str
    device: str
    password: str = field(repr=False)
    director_root: str
    image_root: str

    def files(self, board: str, broker: Broker) -> Mapping[str, bytes]:
        """The files for the board, by the names that install.sh expects."""
        return {
            "agent.toml": _agent_toml(self, board, broker).encode(),
            "password": self.password.encode(),
            DIRECTOR: self.director_root.encode(),
            IMAGE: self.image_root.encode(),
        }


def broker(address: str) -> Broker:
    """The broker at `HOST` or `HOST:PORT`; UsageError for what a board cannot reach."""
    host, colon, port = address.partition(":")
    if not host or (colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        raise UsageError(f"{address!r} is no broker's address", "", "--broker HOST or --broker HOST:PORT")
    if host == "localhost" or host.startswith("127."):
        raise UsageError(
            f"The board would look for the broker at {host} on itself", "", "name this machine as the network knows it"
        )
    return Broker(host, int(port or 1883))


def from_shim(client: Client, device: str, board: str, fleet: str, again: bool) -> Identity:
    """Make the device known to the shim. RejectedError when it is known already, unless `again`: the old card ends."""
    if not again and any(each["name"] == device for each in client.devices()):
        raise RejectedError(
            f"There is a device {device} already",
            "a new password would lock its board out",
            "choose another name, or --again to replace that board's card",
        )
    given = client.add_device(device, board, "")
    return Identity(fleet, device, given["password"], given["director_root"], given["image_root"])


def from_folder(folder: Path, device: str, fleet: str) -> Identity:
    """The device whose `password` and `roots/` lie in `folder`; NotFoundError when one is missing."""
    roots = [_root(folder / name) for name in (DIRECTOR, IMAGE)]
    return Identity(fleet, device, secret_file(folder / "password"), *roots)


def _root(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
        json.loads(text)
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read", str(error)) from None
    except ValueError as error:
        raise UsageError(f"{file} is no root of trust", str(error)) from None
    return text


def _agent_toml(identity: Identity, board: str, broker: Broker) -> str:
    """The agent's configuration; its form is device/config.py's. JSON's strings are TOML's."""
    told = {
        "fleet": identity.fleet,
        "device": identity.device,
        "board": board,
        "state": f"{STATE}/state",
        "roots": f"{STATE}/roots",
    }
    reach = {
        "host": broker.host,
        "port": broker.port,
        "username": identity.device,
        "password_file": f"{STATE}/password",
    }
    return "\n".join([*_lines(told), "", "[broker]", *_lines(reach), ""])


def _lines(table: Mapping[str, object]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
