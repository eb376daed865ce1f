"""Notes the values a handler reads in one event, in order: with them, the event can be replayed (device/replay/).

Lives in the worker. It only notes; others do the reading.
"""

import json
from collections.abc import Callable

# More of one event, in bytes of JSON, is not kept: a trace is for decisions, not for bulk.
MAX_SIZE = 4096
_MOST = 64

# Hears each value read by a handler, as (kind, name, value).
Note = Callable[[str, str, object], None]


def forget(kind: str, name: str, value: object) -> None:
    """Drop the value: it is read outside of any event, or in a replayed one."""


class Reads:
    """The (kind, name, value) of the event in hand."""

    def __init__(self) -> None:
        self._read: list[tuple[str, str, object]] = []

    def note(self, kind: str, name: str, value: object) -> None:
        """A sensor, pin or key of the state was read; a failed reading has its error's text as value."""
        if len(self._read) <= _MOST:
            self._read.append((kind, name, value))

    def take(self) -> list[tuple[str, str, object]] | None:
        """The values since the last call; None when they were too many to keep."""
        if not self._read:
            return self._read
        read, self._read = self._read, []
        return read if len(read) <= _MOST and len(json.dumps(read)) <= MAX_SIZE else None
