"""What a handler reads while it handles one event, in order: with it, the event can be replayed (device/replay/).

Lives in the worker. It notes values; it reads nothing itself.
"""

import json
from collections.abc import Callable

# More of one event, in bytes of JSON, is not kept: a trace is for decisions, not for bulk.
MAX_SIZE = 4096
_MOST = 64

# Told of what a handler reads, as (kind, name, value).
Note = Callable[[str, str, object], None]


def forget(kind: str, name: str, value: object) -> None:
    """Note nothing: what is read is part of no event, or of a replayed one."""


class Reads:
    """The (kind, name, value) of the event in hand."""

    def __init__(self) -> None:
        self._read: list[tuple[str, str, object]] = []

    def note(self, kind: str, name: str, value: object) -> None:
        """A sensor, pin or key of the state was read; a failed reading has its error's text as value."""
        if len(self._read) <= _MOST:
            self._read.append((kind, name, value))

    def take(self) -> list[tuple[str, str, object]] | None:
        """What was read since this was last asked; None when it was too much to keep."""
        if not self._read:
            return self._read
        read, self._read = self._read, []
        return read if len(read) <= _MOST and len(json.dumps(read)) <= MAX_SIZE else None
