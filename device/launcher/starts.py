"""How many starts in a row did not last, and whether to go into safe mode: the agent runs, its functions do not.

A start lasts when the agent still runs SETTLED seconds later, or was ended in order before. The agent's end may cut it
short, or the whole board's: the count is on disk before the agent starts, so it survives both. `Starts` is a value;
each transition gives a new one. The starting is the launcher's, and the versions are ledger.py's.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from device import durable
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, table, text

FORMAT = 1
# More than a version of the agent (ledger.TRIES) or a generation on trial has: those are reverted before.
MOST = 6
# Seconds by a monotonic clock. A loop that needs longer for one turn does some work in between.
SETTLED = 60.0
_LARGEST = 1_000_000


@dataclass(frozen=True)
class Starts:
    """`count` starts that did not last, in `boots` boots of the board; `boot` is the kernel's name of the last one.

    `safe`: safe mode, until somebody ends it.
    """

    count: int = 0
    boots: int = 0
    boot: str = ""
    safe: bool = False

    @property
    def reason(self) -> str:
        """Why it is safe mode, for people; "" when it is not."""
        if not self.safe:
            return ""
        boots = f"in {self.boots} boots of the board" if self.boots > 1 else "in one boot of the board"
        return f"safe mode: {self.count} starts in a row ended within {SETTLED:g} s, {boots}; functions are not started"


def begin(starts: Starts, boot: str) -> Starts:
    """The agent is about to be started, in this boot. In safe mode counting stops: the mode stays."""
    if starts.safe:
        return starts
    if starts.count >= MOST:
        return replace(starts, safe=True)
    new = boot != starts.boot
    return Starts(starts.count + 1, starts.boots + new, boot)


def refund(starts: Starts) -> Starts:
    """The agent was ended in order: its start is given back."""
    if starts.safe or starts.count > 1:
        return replace(starts, count=starts.count - (not starts.safe))
    return Starts()


def settle(starts: Starts) -> Starts:
    """The start lasted: those before it are forgotten. Safe mode stays: without its functions a start proves little."""
    return starts if starts.safe else Starts()


def load(path: Path) -> Starts:
    """The count in the file, or a new one for a missing file; raises ProtocolError for a damaged file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Starts()
    try:
        fields = table(json.loads(data), "starts")
        integer(fields, "format", "starts", FORMAT, FORMAT)
        count, boots = (integer(fields, each, "starts", 0, _LARGEST) for each in ("count", "boots"))
        return Starts(count, boots, text(fields, "boot", "starts"), flag(fields, "safe", "starts", False))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{path} is damaged: {error}") from None


def save(path: Path, starts: Starts) -> None:
    """Replace the file with this count, durably."""
    durable.write_file(path, json.dumps({"format": FORMAT, **asdict(starts)}).encode())


def this_boot() -> str:
    """The kernel's name of this boot of the board; "" where it gives none (proc_sys_kernel(5), "random/boot_id")."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
