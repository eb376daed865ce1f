"""The clock the shim signs by: refuses to sign when it is far from the last signature and no device bears it out.

A signature carries its time, and boards without a clock of their own take it for true. A clock 40 days ahead for a
minute would have them refuse everything signed later by the right one. The rules are pure (`judge`); the time of the
last signature is kept in one file, and what devices say of the time in memory. A device's word alone moves nothing: it
counts only when the clock has jumped, and as one vote of all.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from device import durable
from device.errors import RejectedError

# Half of the life of the shim's own signatures: a board that believed a time so far ahead still believes what the right
# clock signs.
FAR = timedelta(days=15).total_seconds()
# A device's clock this close to another time agrees with it.
CLOSE = timedelta(days=1).total_seconds()
# Signatures within this time of the noted one are not noted: each note is a write to the disk.
_NOTED = 3600.0


def judge(now: float, last: float | None, devices: Sequence[float]) -> None:
    """Whether to sign at `now`, when the last signature was made at `last` (None: never), and devices give these times.

    All are in seconds since 1970. RejectedError when not. After a leap, more devices must agree with the clock than
    with the last signature: a board on the shim's own machine leaps along with it. A board at 1970 has no say.
    """
    if last is None or abs(now - last) <= FAR:
        return
    agree = sum(abs(each - now) <= CLOSE for each in devices)
    oppose = sum(abs(each - last) <= FAR for each in devices)
    if agree > oppose:
        return
    leap = f"the shim's clock says {_day(now)}, and its last signature is of {_day(last)}"
    told = (
        f"of the connected devices' clocks, {oppose} are near the last signature, {agree} agree with the shim's"
        if agree or oppose
        else "no connected device bears the clock out yet"
    )
    raise RejectedError(
        "The shim signs nothing while its clock cannot be right",
        f"{leap}; {told}",
        f"set the clock of the shim's machine if it is wrong (`timedatectl`). If {_day(now)} is right, as after a long "
        "time switched off, wait for devices to connect and say so, or give `lamplight keys clock --right`",
    )


class SigningClock:
    """The clock, with the last signature's time in `path`; `before` is that time for a shim without the file."""

    def __init__(self, path: Path, clock: Callable[[], datetime], before: float | None) -> None:
        self._path = path
        self._clock = clock
        self._last = _read(path) or before
        self._lock = threading.Lock()
        # Each device's clock, in seconds ahead of this machine's monotonic one: that does not leap.
        self._devices: dict[str, float] = {}
        self._refused = False

    def now(self) -> datetime:
        """The time on the clock."""
        return self._clock()

    def heard(self, device: str, seconds: float, of_record: bool = False) -> None:
        """A device's clock stands at so many seconds since 1970. The time of a record may be past, never to come."""
        ahead = seconds - time.monotonic()
        with self._lock:
            self._devices[device] = max(ahead, self._devices.get(device, ahead)) if of_record else ahead

    def check(self) -> None:
        """RejectedError when nothing may be signed by this clock now."""
        with self._lock:
            devices = [each + time.monotonic() for each in self._devices.values()]
        try:
            judge(self._clock().timestamp(), self._last, devices)
        except RejectedError:
            self._refused = True
            raise

    def complaint(self) -> str:
        """Why nothing is signed now; "" while all is well."""
        try:
            self.check()
        except RejectedError as error:
            return f"{error.what}: {error.why}; {error.remedy}"
        return ""

    def recovered(self) -> bool:
        """Whether signing was refused, and would no longer be; told once, to whoever resumes it."""
        if not self._refused or self.complaint():
            return False
        self._refused = False
        return True

    def signed(self) -> None:
        """Something was signed now."""
        now = self._clock().timestamp()
        if self._last is None or abs(now - self._last) > _NOTED:
            self._note()

    def confirm(self) -> None:
        """The clock is right, whatever was signed before: a person says so, and resumes what was refused."""
        self._note()
        self._refused = False

    def _note(self) -> None:
        self._last = self._clock().timestamp()
        durable.write_file(self._path, json.dumps({"signed": self._last}).encode(), mode=0o600)


def _read(path: Path) -> float | None:
    """The time in the file; None when it is missing or damaged."""
    try:
        return float(json.loads(path.read_bytes())["signed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
