"""The agent's configuration file, `agent.toml`, written when the board is provisioned.

Reads and checks the file itself; the places its paths lead to are left alone.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from device import texts
from device.errors import NotFoundError, UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, items, name, only, table, text

LOOPBACK = "127.0.0.1"
HTTP_PORT = 8088
# As registered with IANA.
MQTT_PORT, MQTTS_PORT = 1883, 8883


@dataclass(frozen=True)
class BrokerConfig:
    """Where the broker is, and as whom to connect; the password stands in a file readable by the agent alone.

    With `tls` its certificate must be signed by the authority in `ca_file` (PEM), or by one the system trusts.
    """

    host: str
    port: int
    username: str
    password_file: Path
    tls: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True)
class EnrolmentConfig:
    """How a board asks for its first password: with the password of a user who may only ask, and the card's token where
    the card brought one. Both files are removed once the board has been let in.
    """

    password_file: Path
    token_file: Path | None = None


@dataclass(frozen=True)
class ConfinementConfig:
    """The operator's demands and permissions: the aspects of `confinement` that must be there (docs/confinement.md),
    and whether functions may have the network they ask for.
    """

    require: tuple[str, ...] = ()
    network: bool = False


@dataclass(frozen=True)
class HttpConfig:
    """Where functions with an http trigger are served; with a certificate (PEM files) by TLS. Port 0: any free one.

    With `token_file`, only requests with its token are served.
    """

    host: str = LOOPBACK
    port: int = HTTP_PORT
    certificate: Path | None = None
    key: Path | None = None
    token_file: Path | None = None


@dataclass(frozen=True)
class AgentConfig:
    """One board's settings.

    `state` is the folder the agent owns, `roots` holds the trusted root metadata, `simulation` is the socket of the
    simulated hardware (None on a real board). `folders` are those for functions to watch, by name. `file` is the source
    of all these settings.
    """

    fleet: str
    device: str
    board: str
    state: Path
    roots: Path
    simulation: Path | None
    broker: BrokerConfig
    confinement: ConfinementConfig = ConfinementConfig()
    http: HttpConfig = HttpConfig()
    folders: Mapping[str, Path] = field(default_factory=dict[str, Path])
    enrolment: EnrolmentConfig | None = None
    file: Path = field(default=Path("agent.toml"), compare=False)


def load(path: Path) -> AgentConfig:
    """The configuration in `path`; raises NotFoundError or UsageError naming the wrong key."""
    try:
        return replace(_parse(tomllib.loads(texts.read(path))), file=path.absolute())
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no configuration at {path}", remedy="Provision the board first, or name the file with --config"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ProtocolError) as error:
        raise UsageError(f"The configuration {path} cannot be used", str(error)) from None


def is_loopback(host: str) -> bool:
    """Whether traffic to `host` stays on this machine."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _parse(document: dict[str, object]) -> AgentConfig:
    where = "agent.toml"
    known = ("fleet", "device", "board", "state", "roots", "simulation", "broker", "confinement", "http", "folders")
    only(document, (*known, "enrolment"), where)
    simulation = text(document, "simulation", where, "")
    broker = _broker(table(document.get("broker"), f"{where}.broker"))
    http = _http(table(document.get("http", {}), f"{where}.http"))
    state, roots = Path(text(document, "state", where)), Path(text(document, "roots", where))
    return AgentConfig(
        fleet=name(document.get("fleet"), f"{where}.fleet"),
        device=name(document.get("device"), f"{where}.device"),
        board=text(document, "board", where),
        state=state,
        roots=roots,
        simulation=Path(simulation) if simulation else None,
        broker=broker,
        confinement=_confinement(table(document.get("confinement", {}), f"{where}.confinement")),
        http=http,
        folders=_folders(document, [state, roots, broker.password_file, *filter(None, (http.key, http.token_file))]),
        enrolment=_enrolment(table(document["enrolment"], f"{where}.enrolment")) if "enrolment" in document else None,
    )


def _broker(fields: dict[str, object]) -> BrokerConfig:
    where = "agent.toml.broker"
    only(fields, ("host", "port", "username", "password_file", "tls", "ca_file"), where)
    host = text(fields, "host", where)
    # Only on request does a password go over a network in clear.
    tls = flag(fields, "tls", where, not is_loopback(host))
    if not tls and "ca_file" in fields:
        raise ProtocolError(f"{where}: ca_file says who signs the broker's certificate, and tls is false")
    return BrokerConfig(
        host=host,
        port=integer(fields, "port", where, 1, 65535, MQTTS_PORT if tls else MQTT_PORT),
        username=text(fields, "username", where),
        password_file=Path(text(fields, "password_file", where)),
        tls=tls,
        ca_file=Path(text(fields, "ca_file", where)) if "ca_file" in fields else None,
    )


def _enrolment(fields: dict[str, object]) -> EnrolmentConfig:
    where = "agent.toml.enrolment"
    only(fields, ("password_file", "token_file"), where)
    token = Path(text(fields, "token_file", where)) if "token_file" in fields else None
    return EnrolmentConfig(Path(text(fields, "password_file", where)), token)


def _confinement(fields: dict[str, object]) -> ConfinementConfig:
    where = "agent.toml.confinement"
    only(fields, ("require", "network"), where)
    require = items(fields.get("require", []), f"{where}.require")
    return ConfinementConfig(
        require=tuple(text({"require": each}, "require", where) for each in require),
        network=flag(fields, "network", where, False),
    )


def _http(fields: dict[str, object]) -> HttpConfig:
    where = "agent.toml.http"
    only(fields, ("host", "port", "certificate", "key", "token_file"), where)
    certificate, key, token = (
        Path(text(fields, each, where)) if each in fields else None for each in ("certificate", "key", "token_file")
    )
    if (certificate is None) != (key is None):
        raise ProtocolError(f"{where}: certificate and key go together")
    host = text(fields, "host", where, LOOPBACK)
    return HttpConfig(host, integer(fields, "port", where, 0, 65535, HTTP_PORT), certificate, key, token)


def _folders(document: dict[str, object], secret: list[Path]) -> dict[str, Path]:
    """The folders for functions to watch. Each lies apart from the agent's `secret` ones, neither below nor above."""
    where = "agent.toml.folders"
    granted = table(document.get("folders", {}), where)
    folders = {name(each, where): Path(text(granted, each, where)) for each in granted}
    for each, path in folders.items():
        theirs = path.resolve()
        ours = [own for own in map(Path.resolve, secret) if own.is_relative_to(theirs) or theirs.is_relative_to(own)]
        if ours or not path.is_absolute():
            raise ProtocolError(f"{where}.{each}: {path} is not a whole path to a folder apart from the agent's own")
    return folders
