"""Chooses the patches a release carries: those worth their bytes. The bytes are made in device/artifact/patch.py.

Storing and signing them is the work of registry.py and trust/signing.py.
"""

from pathlib import Path

from device.artifact import patch

# The most of the whole a patch may weigh: a larger one costs more, in signatures and in work on the board,
# than it is worth.
_WORTH = 0.7


def make(base: Path, data: bytes) -> bytes | None:
    """The patch from the artifact in the file `base` to `data`; None when a device is better off with all of `data`."""
    if not patch.available() or max(base.stat().st_size, len(data)) > patch.MAX_LENGTH:
        return None
    made = patch.make(base.read_bytes(), data)
    return made if len(made) < _WORTH * len(data) else None
