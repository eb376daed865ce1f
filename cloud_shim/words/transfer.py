"""How far a device's download is, in words for the command line and the console. Pure.

The device measures its rate itself (docs/protocol/reported.md): it alone knows its stored bytes. The time left is
worked out here.
"""

from dataclasses import dataclass

from cloud_shim.words import amounts
from device.protocol.reported import ReportedUpdate


@dataclass(frozen=True)
class Transfer:
    """`stored` of `total` bytes, at `rate` bytes a second (0: unknown, or stalled)."""

    stored: int
    total: int
    rate: int = 0

    @property
    def share(self) -> float:
        """How much of it is stored, 0 to 1."""
        return min(1.0, self.stored / self.total)

    @property
    def text(self) -> str:
        """As "16.8 MB of 67.1 MB, 3.1 MB/s, 16 s left"; unknown parts are left out."""
        told = [f"{amounts.size(self.stored)} of {amounts.size(self.total)}"]
        if self.rate:
            told += [f"{amounts.size(self.rate)}/s", f"{_duration(max(0, self.total - self.stored) / self.rate)} left"]
        return ", ".join(told)


def of(update: ReportedUpdate) -> Transfer | None:
    """The device's present download; None when there is none."""
    if update.state != "FETCHING" or not update.total:
        return None
    return Transfer(update.bytes, update.total, update.rate)


@dataclass(frozen=True)
class Travelled:
    """The bytes of a deployment: `sent` to bring artifacts of `whole` bytes; patches make it less."""

    sent: int
    whole: int

    @property
    def text(self) -> str:
        """As "104 B travelled instead of 45 kB"."""
        instead = f" instead of {amounts.size(self.whole)}" if self.sent < self.whole else ""
        return f"{amounts.size(self.sent)} travelled{instead}"


def travelled(update: ReportedUpdate) -> Travelled | None:
    """The bytes this update took to download, now that it is complete; None when there was no download."""
    return Travelled(update.total, update.whole) if update.total else None


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
