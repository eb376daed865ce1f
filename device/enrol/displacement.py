"""The board's knowledge that another one has its name: from the shim's word, in a file for `doctor`, and in the log.

The board's functions go on, and its records wait. The pauses between its attempts are link/backoff.py's.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path

from device import durable
from device.protocol.enrolment import DISPLACED, Answer

_FILE = "displaced.json"

_log = logging.getLogger(__name__)


class Displacement:
    """Kept in the folder `state`; `give_way` ends the connection for a long pause."""

    def __init__(self, state: Path, give_way: Callable[[], None]) -> None:
        self._path = state / _FILE
        self._give_way = give_way

    def answered(self, answer: Answer) -> bool:
        """Whether the shim's answer is that this board is not the device: it then gives way."""
        if answer.state != DISPLACED:
            durable.remove(self._path)
            return False
        if reason(self._path.parent) != answer.reason:
            _log.error("Another board has this one's name: %s. Everything here goes on, offline", answer.reason)
            durable.write_file(self._path, json.dumps({"reason": answer.reason}).encode())
        self._give_way()
        return True


def reason(state: Path) -> str:
    """Why this board is not the device of its name, as last heard; "" when it is."""
    try:
        return str(json.loads((state / _FILE).read_bytes())["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
