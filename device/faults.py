"""The triggers that deliver nothing and the held functions, in a file of the state folder: for the doctor.

The doctor is a process of its own. The agent writes the file on each change. It is news: a full disk costs the news
alone. By function, the file has a list of its broken triggers, or the reason for which it is held back, as a text.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from device import durable
from device.generation import HeldFunction
from device.health import FunctionHealth, TriggerFault
from device.protocol.fields import items, table, text

NAME = "triggers.json"

_log = logging.getLogger(__name__)
_Faults = dict[str, tuple[TriggerFault, ...] | str]


class FaultsFile:
    """The file in the folder `state`."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAME
        self._written: _Faults | None = None

    def note(self, functions: Mapping[str, FunctionHealth], held: Mapping[str, HeldFunction]) -> None:
        """Note the running functions with the faults of their triggers, and the held ones with their reasons."""
        found: _Faults = {name: health.triggers for name, health in functions.items()}
        found |= {name: each.reason for name, each in held.items()}
        if found == self._written:
            return
        # Also when it cannot be written: a full disk is not asked again each second.
        self._written = found
        told = {n: each if isinstance(each, str) else [asdict(fault) for fault in each] for n, each in found.items()}
        try:
            durable.write_file(self._path, json.dumps(told).encode())
        except OSError as error:
            _log.warning("What the triggers lack could not be written down: %s", error)


def read(state: Path) -> _Faults:
    """By function, the triggers that deliver nothing, or the reason for which it is held back.

    Raises OSError, or ProtocolError for a damaged file.
    """
    told = table(json.loads((state / NAME).read_bytes()), NAME)
    return {name: each if isinstance(each, str) else _faults(each) for name, each in told.items()}


def _faults(value: object) -> tuple[TriggerFault, ...]:
    return tuple(_fault(table(each, NAME)) for each in items(value, NAME))


def _fault(fields: dict[str, object]) -> TriggerFault:
    return TriggerFault(*(text(fields, key, NAME) for key in ("trigger", "error", "remedy")))
