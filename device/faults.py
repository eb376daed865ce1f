"""The triggers that deliver nothing, in a file of the state folder: for the doctor, a process of its own.

The agent writes it on each change. It is news: a full disk costs the news alone.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from device import durable
from device.health import FunctionHealth, TriggerFault
from device.protocol.fields import items, table, text

NAME = "triggers.json"

_log = logging.getLogger(__name__)
_Faults = dict[str, tuple[TriggerFault, ...]]


class FaultsFile:
    """The file in the folder `state`."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAME
        self._written: _Faults | None = None

    def note(self, functions: Mapping[str, FunctionHealth]) -> None:
        """Note the running functions with the faults of their triggers."""
        found = {name: health.triggers for name, health in functions.items()}
        if found == self._written:
            return
        # Also when it cannot be written: a full disk is not asked again each second.
        self._written = found
        told = {name: [asdict(each) for each in faults] for name, faults in found.items()}
        try:
            durable.write_file(self._path, json.dumps(told).encode())
        except OSError as error:
            _log.warning("What the triggers lack could not be written down: %s", error)


def read(state: Path) -> _Faults:
    """By function, the triggers that deliver nothing. Raises OSError, or ProtocolError for a damaged file."""
    told = table(json.loads((state / NAME).read_bytes()), NAME)
    return {name: tuple(_fault(table(each, NAME)) for each in items(faults, NAME)) for name, faults in told.items()}


def _fault(fields: dict[str, object]) -> TriggerFault:
    return TriggerFault(*(text(fields, key, NAME) for key in ("trigger", "error", "remedy")))
