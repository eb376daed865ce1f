"""Which patches a release carries: those that are worth it. The bytes are made in device/artifact/patch.py.

It neither stores nor signs them (registry.py, trust/signing.py).
"""

from pathlib import Path

from device.artifact import patch

# A patch that saves less than this costs more, in signatures and in work on the board, than it is worth.
_WORTH = 0.7


def make(base: Path, data: bytes) -> bytes | None:
    """The patch that makes `data` from the artifact in the file `base`; None when a device is better given `data`."""
    if not patch.available() or max(base.stat().st_size, len(data)) > patch.MAX_LENGTH:
        return None
    made = patch.make(base.read_bytes(), data)
    return made if len(made) < _WORTH * len(data) else None
