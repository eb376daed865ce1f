"""Keeps the slots on disk, and knows the states possible there after a failed write. It decides no transition."""

import logging
from pathlib import Path

from device.update import slots
from device.update.slots import Slots

_log = logging.getLogger(__name__)


class SlotsFile:
    """The slots believed now, in `slots`, and their file."""

    def __init__(self, path: Path) -> None:
        self.slots = Slots()
        self._path = path
        # The possible contents of the file: one, or several after a write failed midway; none when it is damaged.
        self._on_disk: tuple[Slots, ...] = (self.slots,)

    def load(self) -> Slots:
        """Believe the file on disk; for a damaged one, raises ProtocolError and believes in empty slots."""
        self._on_disk = ()
        self.slots = slots.load(self._path)
        self._on_disk = (self.slots,)
        return self.slots

    def save(self, new: Slots) -> None:
        """Make `new` durable, then believe it. When this raises OSError, either may be on disk."""
        if self._on_disk != (new,):
            self._on_disk = (*(each for each in self._on_disk if each != new), new)
            slots.save(self._path, new)
            self._on_disk = (new,)
        self.slots = new

    def settle(self, new: Slots) -> None:
        """As `save`, but believe it even when the disk refuses it now; `repair` makes it durable later."""
        try:
            self.save(new)
        except OSError as error:
            _log.warning("What is installed could not be written down: %s", error)
        self.slots = new

    def repair(self) -> None:
        """Make up for an earlier failed write."""
        if len(self._on_disk) > 1:
            self.save(self.slots)

    def functions(self) -> set[str]:
        """The functions of all slots, likewise."""
        return {name for each in (self.slots, *self._on_disk) for name in each.functions()}

    def digests(self) -> set[str]:
        """The artifacts in use by any slot, whether believed or possibly on disk."""
        return {digest for each in (self.slots, *self._on_disk) for digest in each.digests()}
