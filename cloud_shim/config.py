"""The options on the command line of the shim's process, checked."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_shim.fleet.deployments import Trial
from cloud_shim.records.retention import KEEP, KEEP_BYTES
from device.errors import UsageError
from device.protocol.deployment import MAX_TRIAL_EVENTS, MAX_TRIAL_SECONDS
from device.protocol.fields import is_name


@dataclass(frozen=True)
class Config:
    """The shim's state folder, its port, and its broker and fleet.

    `database` is an SQLAlchemy URL; "" means an SQLite file in `state`. `port` 0 takes any free one. A deployment's
    trial lasts `trial_seconds` and `trial_events`, unless it says otherwise. Of each stream of each device,
    `keep_records` records are kept, and `keep_bytes` of them. `boards_port` is the broker's TLS port for
    boards, 0 for none.
    """

    state: Path
    port: int
    broker_host: str
    broker_port: int
    fleet: str = "home"
    database: str = ""
    trial_seconds: float = Trial.seconds
    trial_events: int = Trial.events
    keep_records: int = KEEP
    keep_bytes: int = KEEP_BYTES
    boards_port: int = 0

    @property
    def database_url(self) -> str:
        """The database to open."""
        return self.database or f"sqlite:///{self.state / 'shim.db'}"


def parse(arguments: Sequence[str] | None = None) -> Config:
    """The configuration in the command line; raises UsageError, or leaves with argparse's message."""
    parser = argparse.ArgumentParser(prog="python -m cloud_shim.app", description="The cloud shim of one fleet.")
    parser.add_argument("--state", type=Path, required=True, help="folder for the database, the artifacts and the keys")
    parser.add_argument("--port", type=_port, required=True, help="serve HTTP on this port of 127.0.0.1; 0 for any")
    parser.add_argument("--broker-host", default="127.0.0.1")
    parser.add_argument("--broker-port", type=_port, required=True)
    parser.add_argument("--fleet", default="home")
    parser.add_argument("--database", default="", help="SQLAlchemy URL; an SQLite file in the state folder by default")
    parser.add_argument("--trial-seconds", type=float, default=Trial.seconds, help="how long a trial lasts by default")
    parser.add_argument("--trial-events", type=int, default=Trial.events, help="how many events it takes by default")
    parser.add_argument(
        "--keep-records", type=_count, default=KEEP, help=f"records kept of each device's stream ({KEEP:,} by default)"
    )
    parser.add_argument(
        "--keep-bytes", type=_count, default=KEEP_BYTES, help=f"bytes of them ({KEEP_BYTES:,} by default)"
    )
    parser.add_argument("--boards-port", type=_port, default=0, help="where boards reach the broker by TLS; 0 if not")
    config = Config(**vars(parser.parse_args(arguments)))
    if not is_name(config.fleet):
        raise UsageError(f"{config.fleet!r} cannot name a fleet", "use lower-case letters, digits and '-'")
    if not (0 <= config.trial_seconds <= MAX_TRIAL_SECONDS and 0 <= config.trial_events <= MAX_TRIAL_EVENTS):
        raise UsageError(
            f"A trial cannot last {config.trial_seconds:g} s and {config.trial_events} events",
            f"use at most a week and {MAX_TRIAL_EVENTS:,} events",
        )
    return config


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; it is 1 at least")
    return count
