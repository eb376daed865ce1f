"""The broker beside the shim: its program, its settings, its certificate, and the shim's way in."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cloud_shim.broker import access, certificates
from cloud_shim.broker import setup as broker
from device.config import BrokerConfig
from device.doctor.broker import Broker
from device.doctor.check import Finding, fail, ok, skip, warn

_LEAST_DAYS = 30
_CHANGES = ("listener", "user")  # these differ from one machine to the next


@dataclass(frozen=True)
class Setup:
    """Where the broker listens, and its options by name, as mosquitto.conf says."""

    host: str
    port: int
    options: dict[str, str]


def read(cloud: Path) -> Setup | None:
    """Mosquitto's settings; None when the file is missing, or names no place to listen."""
    try:
        lines = (broker.folder(cloud) / "mosquitto.conf").read_text().splitlines()
    except OSError:
        return None
    options = parse(lines)
    # The first listener is the shim's, a second one is for boards.
    port, host = [*options.get("listener", "").split(), "", ""][:2]
    return Setup(host, int(port), options) if port.isdigit() and host else None


def parse(lines: list[str]) -> dict[str, str]:
    """Options by name; repeated ones are joined."""
    options: dict[str, str] = {}
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if key and not key.startswith("#"):
            options[key] = f"{options[key]} {value}" if key in options else value
    return options


def program() -> Finding:
    """mosquitto, or the fallback."""
    found = broker.find_mosquitto()
    return (
        ok(found)
        if found
        else warn(
            "mosquitto is not installed; the built-in broker is for trying out only",
            "`apt install mosquitto`, or `brew install mosquitto`",
        )
    )


def settings(cloud: Path) -> Finding:
    """Whether mosquitto has Lamplight's settings: persistence, sizes, queues, sending at once, access rights."""
    setup = read(cloud)
    if setup is None:
        return skip("there is no mosquitto.conf here")
    return judge_settings(setup, broker.folder(cloud).resolve())


def judge_settings(setup: Setup, where: Path) -> Finding:
    """The options against those written by `lamplight up` for a broker in `where`."""
    wanted = parse(broker.configuration(where, setup.host, setup.port).splitlines())
    wrong = [
        f"{key} is {setup.options.get(key, 'not there')}, not {value}"
        for key, value in wanted.items()
        if key not in _CHANGES and setup.options.get(key) != value
    ]
    if wrong:
        return warn("; ".join(wrong), "Start `lamplight up` again, which writes mosquitto.conf anew")
    return ok("as Lamplight writes it")


def certificate(cloud: Path, now: datetime) -> Finding:
    """How long boards will take the broker's certificate."""
    file = certificates.where(broker.folder(cloud)).certificate
    if not file.exists():
        return skip("boards do not reach this broker: `lamplight up --listen` lets them")
    ends = certificates.ends(file)
    if (ends - now).days < _LEAST_DAYS:
        return fail(f"it ends at {ends:%Y-%m-%d}", "Start `lamplight up` again, which makes a new one in time")
    return ok(f"good until {ends:%Y-%m-%d}")


def steps(cloud: Path) -> Broker | None:
    """The way of the shim's own user to the broker; None while the broker's address is unknown."""
    setup = read(cloud)
    if setup is None:
        return None
    config = BrokerConfig(setup.host, setup.port, access.SHIM_USER, broker.folder(cloud) / "shim.password")
    return Broker(config, "lamplight-shim")
