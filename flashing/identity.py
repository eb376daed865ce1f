"""The things that make a board a device of this fleet: its means to be let in, the roots of trust, its configuration.

They come from the shim, or from a folder prepared earlier, with a password already known to the broker. Writing them to
the card is card.py's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloud_shim.cli.client import Client
from cloud_shim.words import addresses
from device.config import MQTT_PORT, MQTTS_PORT, is_loopback
from device.errors import NotFoundError, RejectedError, UsageError
from device.protocol.fields import is_name
from flashing.secrets import secret_file

STATE = "/var/lib/lamplight"
AUTHORITY = "ca.pem"
ASKING, TOKEN = "enrol", "token"
DIRECTOR, IMAGE = "roots/director-root.json", "roots/image-root.json"


@dataclass(frozen=True)
class Broker:
    """Where the board finds the broker; `port` 0 is the one where it listens for boards. `tls` as in agent.toml."""

    host: str
    port: int
    tls: bool = True


@dataclass(frozen=True)
class Identity:
    """One device of `fleet`; the roots are the JSON of TUF's root metadata.

    Either it has a `password`, or with the `asking` password it asks for one, and is let in by its `token`, if any.
    `authority` is the certificate of the broker's signer, PEM; "" for one trusted by every system. `port` is where the
    broker listens for boards, 0 when unknown.
    """

    fleet: str
    device: str
    director_root: str
    image_root: str
    authority: str = ""
    port: int = 0
    password: str = field(default="", repr=False)
    asking: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def files(self, board: str, broker: Broker) -> Mapping[str, bytes]:
        """The files for the board, by install.sh's names for them."""
        files = {
            "agent.toml": _agent_toml(self, board, broker),
            DIRECTOR: self.director_root,
            IMAGE: self.image_root,
        }
        if broker.tls:
            files[AUTHORITY] = self.authority
        files |= {"password": self.password, ASKING: self.asking, TOKEN: self.token}
        return {name: text.encode() for name, text in files.items() if text}


def broker(address: str, tls: bool = True) -> Broker:
    """The broker at `HOST` or `HOST:PORT`; UsageError for an address out of a board's reach."""
    host, port = addresses.split(address)
    if not addresses.is_host(host):
        raise UsageError(f"{address!r} is no broker's address", "", "--broker HOST or --broker HOST:PORT")
    if is_loopback(host):
        raise UsageError(
            f"The board would look for the broker at {host} on itself", "", "name this machine as the network knows it"
        )
    return Broker(host, port, tls)


def check_names(device: str, fleet: str) -> None:
    """UsageError for a text unfit as the name of a device (if one is given) or of a fleet."""
    for name, what in ((device, "device"), (fleet, "fleet")):
        if name and not is_name(name):
            raise UsageError(f"{name!r} cannot name a {what}", "use lower-case letters, digits and '-'")


def from_shim(client: Client, device: str, fleet: str, broker: Broker, again: bool, token: bool = True) -> Identity:
    """The shim's identity for a card. RejectedError when the device exists, unless `again`: this one replaces it.

    With a `token` the first board to bring it is let in; otherwise somebody has to accept it. RejectedError also when
    boards do not reach the shim's broker as `broker` says.
    """
    check_reach(client, broker)
    given = client.card(device, token, again)
    reach: Mapping[str, Any] = given["broker"] or {"ca": "", "port": 0}
    roots = given["director_root"], given["image_root"]
    secret = {"asking": given["enrol_password"], "token": given["token"]}
    return Identity(fleet, device, *roots, reach["ca"], reach["port"], **secret)


def check_reach(client: Client, broker: Broker) -> None:
    """RejectedError when boards do not reach the shim's broker as `broker` says."""
    if not broker.tls:
        return
    told, host = client.health()["broker"], broker.host
    if not told["boards"]:
        raise RejectedError(
            "A board could not reach the broker",
            "it listens on its own machine only",
            "`lamplight up --listen 0.0.0.0`; or --no-tls for a broker of your own without it",
        )
    if host.lower() not in [str(each).lower() for each in told["names"]]:
        raise RejectedError(
            f"A board would not believe that {host} is the broker",
            f"its certificate is for {', '.join(told['names'])}",
            f"--broker with one of these, or `lamplight up --listen … --listen-name {host}`",
        )


def from_folder(folder: Path, device: str, fleet: str) -> Identity:
    """The device whose `password` and `roots/` lie in `folder`; NotFoundError when one is missing.

    `ca.pem` beside them is the authority of the broker's certificate.
    """
    roots = _root(folder / DIRECTOR), _root(folder / IMAGE)
    authority = folder / AUTHORITY
    ca = authority.read_text("utf-8") if authority.exists() else ""
    return Identity(fleet, device, *roots, ca, password=secret_file(folder / "password"))


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
    reach: dict[str, object] = {"host": broker.host, "port": broker.port or identity.port or _port(broker)}
    reach |= {"username": identity.device, "password_file": f"{STATE}/password", "tls": broker.tls}
    if broker.tls and identity.authority:
        reach["ca_file"] = f"{STATE}/{AUTHORITY}"
    asking: dict[str, object] = {"password_file": f"{STATE}/{ASKING}"} if identity.asking else {}
    if identity.token:
        asking["token_file"] = f"{STATE}/{TOKEN}"
    enrolment = ["[enrolment]", *_lines(asking), ""] if asking else []
    return "\n".join([*_lines(told), "", "[broker]", *_lines(reach), "", *enrolment])


def _port(broker: Broker) -> int:
    return MQTTS_PORT if broker.tls else MQTT_PORT


def _lines(table: Mapping[str, object]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
