"""Names the board behind a device's name, so that two boards with one identity are told apart.

"<serial>/<mark>": the serial number ("-" for none), and a mark made of it, of the machine's id and of the state
folder's own number on its disk. A copied card has another serial, a copied folder another number; a restart and an
update change none of them. A card moved to other hardware gets another name: the shim takes that for a move once the
board before it is silent (cloud_shim/fleet/twins.py). It proves nothing, and is no secret. A whole disk copied to a
machine with no serial that can be read and the same machine id stays unnoticed here.
"""

import hashlib
from pathlib import Path

from device.enrol import serial

_MACHINE = Path("etc/machine-id")


def name(state: Path, root: Path = Path("/")) -> str:
    """The name of the board with this `state` folder, in at most 80 printable characters."""
    number = serial.read(root)
    try:
        machine = (root / _MACHINE).read_text().strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    mark = hashlib.sha256(f"board {number} {machine} {state.stat().st_ino}".encode()).hexdigest()[:8]
    return f"{number.replace('/', '_') or '-'}/{mark}"
