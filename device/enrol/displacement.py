"""The board's knowledge that another one has its name: from the shim's word, in a file for `doctor`, and in the log.

It shows the shim the hash of a password of its own, and takes the name that a person gave to the holder of that
password (own_name.py). The board's functions go on, and its records wait. The pauses between its attempts are
link/backoff.py's.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from device import durable
from device.enrol.own_name import OwnName
from device.protocol.enrolment import DISPLACED, Answer, fingerprint

_FILE = "displaced.json"

_log = logging.getLogger(__name__)


class Ways(NamedTuple):
    """What the board does: `give_way` ends the connection for a long pause; `show` sends the shim the hash of the
    board's own password, False when the broker is away; `restart` starts the agent again, where it `may_restart`.
    """

    give_way: Callable[[], None]
    show: Callable[[str], bool]
    may_restart: Callable[[], bool]
    restart: Callable[[], None]


class Displacement:
    """Kept in the folder `state` of the board with the name `hardware`."""

    def __init__(self, state: Path, hardware: str, own: OwnName, ways: Ways) -> None:
        self._path = state / _FILE
        self._hardware = hardware
        self._own = own
        self._ways = ways
        self._shown = False

    def connected(self) -> None:
        """A new connection: the shim may be shown the hash once more."""
        self._shown = False

    def answered(self, answer: Answer) -> bool:
        """Whether the shim's answer is that a board is not the device; where it is this one, it gives way."""
        if answer.state != DISPLACED:
            durable.remove(self._path)
            return False
        if answer.hardware in ("", self._hardware):
            try:
                self._note(answer.reason)
                waits = bool(answer.hardware) and self._settle(answer)
            except OSError as error:
                _log.error("A name of its own cannot be written: %s", error)
                waits = False
            if not waits:
                self._ways.give_way()
        return True

    def _settle(self, answer: Answer) -> bool:
        """Show the board's own hash, or take the name given to it; False when there is nothing to wait for."""
        hash = self._own.hash()
        if answer.own != hash:
            _log.warning("A person may know this board by its fingerprint %s", fingerprint(hash))
            shown, self._shown = self._shown, True
            return not shown and self._ways.show(hash)
        if not answer.name or not self._ways.may_restart() or not self._own.take(answer.name):
            return False
        _log.warning("This board was given the name %s; the agent starts again with it", answer.name)
        self._ways.restart()
        return True

    def _note(self, why: str) -> None:
        if reason(self._path.parent) == why:
            return
        _log.error("Another board has this one's name: %s. Everything here goes on, offline", why)
        durable.write_file(self._path, json.dumps({"reason": why}).encode())


def reason(state: Path) -> str:
    """Why this board is not the device of its name, as last heard; "" when it is."""
    try:
        return str(json.loads((state / _FILE).read_bytes())["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
