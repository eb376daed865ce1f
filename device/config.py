"""The agent's configuration file, `agent.toml`, written by whoever provisions the board.

Reads and checks it; does not look at what the paths lead to.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from device.errors import NotFoundError, UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, items, name, only, table, text


@dataclass(frozen=True)
class BrokerConfig:
    """Where the broker is, and as whom to connect; the password stands in a file that only the agent reads."""

    host: str
    port: int
    username: str
    password_file: Path


@dataclass(frozen=True)
class ConfinementConfig:
    """What the operator demands and allows: aspects of `confinement` that must be there (docs/confinement.md), and
    whether functions that ask for the network get it.
    """

    require: tuple[str, ...] = ()
    network: bool = False


@dataclass(frozen=True)
class AgentConfig:
    """One board's settings.

    `state` is the folder the agent owns, `roots` holds the trusted root metadata, `simulation` is the
    socket of the simulated hardware (None on a real board).
    """

    fleet: str
    device: str
    board: str
    state: Path
    roots: Path
    simulation: Path | None
    broker: BrokerConfig
    confinement: ConfinementConfig = ConfinementConfig()


def load(path: Path) -> AgentConfig:
    """The configuration in `path`; raises NotFoundError or UsageError saying which key is wrong."""
    try:
        return _parse(tomllib.loads(path.read_text()))
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no configuration at {path}", remedy="Provision the board first, or name the file with --config"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ProtocolError) as error:
        raise UsageError(f"The configuration {path} cannot be used", str(error)) from None


def _parse(document: dict[str, object]) -> AgentConfig:
    where = "agent.toml"
    only(document, ("fleet", "device", "board", "state", "roots", "simulation", "broker", "confinement"), where)
    simulation = text(document, "simulation", where, "")
    return AgentConfig(
        fleet=name(document.get("fleet"), f"{where}.fleet"),
        device=name(document.get("device"), f"{where}.device"),
        board=text(document, "board", where),
        state=Path(text(document, "state", where)),
        roots=Path(text(document, "roots", where)),
        simulation=Path(simulation) if simulation else None,
        broker=_broker(table(document.get("broker"), f"{where}.broker")),
        confinement=_confinement(table(document.get("confinement", {}), f"{where}.confinement")),
    )


def _broker(fields: dict[str, object]) -> BrokerConfig:
    where = "agent.toml.broker"
    only(fields, ("host", "port", "username", "password_file"), where)
    return BrokerConfig(
        host=text(fields, "host", where),
        port=integer(fields, "port", where, 1, 65535, 1883),
        username=text(fields, "username", where),
        password_file=Path(text(fields, "password_file", where)),
    )


def _confinement(fields: dict[str, object]) -> ConfinementConfig:
    where = "agent.toml.confinement"
    only(fields, ("require", "network"), where)
    require = items(fields.get("require", []), f"{where}.require")
    return ConfinementConfig(
        require=tuple(text({"require": each}, "require", where) for each in require),
        network=flag(fields, "network", where, False),
    )
