"""A name of its own for a board that has its name by a copy: its own password, and the name once a person gave it.

Both lie in the folder `own` of the state folder. The password is made on this board, for this board and its present
name, before any name is heard. A copy of the card makes another one, and only the hash travels. A person gives the name
to the holder of that password (cloud_shim/fleet/naming.py), so a name that somebody else hears is of no use to him.

`take` writes the name in one step: before it the board has its old name, after it the new one, from the next start of
the agent on. agent.toml stays as the card has it, and a card with another name ends what is written here.
"""

import json
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from device import durable
from device.config import AgentConfig
from device.enrol.passwords import Passwords
from device.link import record_file
from device.protocol.fields import is_name

_FOLDER = "own"
_NAME = "name.json"

_log = logging.getLogger(__name__)


class _Given(NamedTuple):
    """`name` in place of the `card`'s, for the password with the hash `hash` in the file `password`; `first_run` is the
    first run on this board.
    """

    card: str
    name: str
    password: str
    hash: str
    first_run: int


class OwnName:
    """What the board with this `config` and the name `hardware` needs for a name of its own."""

    def __init__(self, config: AgentConfig, hardware: str, first_run: int) -> None:
        self._state = config.state
        self._device = config.device
        self._first_run = first_run
        # Of this board under this name: a copy has another mark, and a second change of name another password.
        self._password = f"{config.device}.{hardware.rpartition('/')[2]}"

    def hash(self) -> str:
        """The hash of this board's own password, made durable before it is told. Raises OSError."""
        durable.make_folder(self._state / _FOLDER)
        return Passwords(self._state / _FOLDER / self._password).offer()

    def take(self, name: str) -> bool:
        """Be `name` from the next start on, durably; False when that is so already. Raises OSError."""
        before = _read(self._state)
        if before is not None and before.name == name:
            return False
        card = before.card if before is not None and before.name == self._device else self._device
        given = _Given(card, name, self._password, self.hash(), self._first_run)
        durable.write_file(self._state / _FOLDER / _NAME, json.dumps(given._asdict()).encode())
        return True


def config(card: AgentConfig) -> AgentConfig:
    """The configuration on the `card`, with the board's own name and password in it if it was given some."""
    given = _read(card.state)
    if given is None or given.card != card.device:
        return card
    password = card.state / _FOLDER / given.password
    if not Passwords(password).has_own:
        return card
    return replace(
        card,
        device=given.name,
        enrolment=None,
        broker=replace(card.broker, username=given.name, password_file=password),
    )


def take_up(card: AgentConfig) -> AgentConfig:
    """As `config`, at the agent's start: a name that was just given begins here.

    The records of before this board are set aside first: they are the other one's, who sends them. Nothing that fails
    here keeps the board from starting; it has its old name then.
    """
    given = _read(card.state)
    if given is not None and given.card == card.device:
        passwords = Passwords(card.state / _FOLDER / given.password)
        try:
            if not passwords.has_own and passwords.offered() == given.hash:
                record_file.set_aside(card.state / "outbox.db", given.first_run)
                passwords.joined()
                _log.warning("This board is %s from now on, no longer %s", given.name, card.device)
        except (OSError, sqlite3.Error) as error:
            _log.error("This board cannot be %s yet: %s", given.name, error)
    return config(card)


def _read(state: Path) -> _Given | None:
    path = state / _FOLDER / _NAME
    try:
        told = json.loads(path.read_bytes())
        card, name, password, hash = (str(told[key]) for key in ("card", "name", "password", "hash"))
        given = _Given(card, name, password, hash, int(told["first_run"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.error("%s is damaged: %r", path, error)
        return None
    return given if is_name(given.name) and Path(given.password).name == given.password else None
