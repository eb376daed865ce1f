"""Names the board behind a device's name, so that two boards with one identity are told apart.

"<serial>/<mark>": the serial number ("-" for none), and a mark made of it, of the machine's id and of the state
folder's own number on its disk. A copied card has another serial, a copied folder another number; a restart and an
update change none of them. A card moved to other hardware gets another name: the shim takes that for a move once the
board before it is silent (cloud_shim/fleet/twins.py). It proves nothing, and is no secret. A whole disk copied to a
machine with no serial that can be read and the same machine id stays unnoticed here.
"""

import hashlib
import json
import logging
from pathlib import Path

from device import durable
from device.enrol import serial

_MACHINE = Path("etc/machine-id")
_SEEN = "board.json"

_log = logging.getLogger(__name__)


def name(state: Path, root: Path = Path("/")) -> str:
    """The name of the board with this `state` folder, in at most 80 printable characters."""
    number = serial.read(root)
    try:
        machine = (root / _MACHINE).read_text().strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    mark = hashlib.sha256(f"board {number} {machine} {state.stat().st_ino}".encode()).hexdigest()[:8]
    return f"{number.replace('/', '_') or '-'}/{mark}"


def first_run(state: Path, hardware: str, run: int) -> int:
    """The first run of the agent on this board, `run` being the present one; noted in the folder `state`.

    The runs before it were on the board that this card, or folder, was copied or moved from. 0 where there was none.
    """
    path = state / _SEEN
    first = run
    try:
        seen = json.loads(path.read_bytes())
        if seen["hardware"] == hardware:
            return int(seen["run"])
    except FileNotFoundError:
        # The first agent to note it: its earlier runs were here too.
        first = 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.error("%s is damaged (%r): earlier runs may have been on another board", path, error)
    try:
        durable.write_file(path, json.dumps({"hardware": hardware, "run": first}).encode())
    except OSError as error:
        _log.warning("The board behind this state could not be noted: %s", error)
    return first
