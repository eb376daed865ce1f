"""The passwords of their own that boards kept out of a name have shown, in the database.

Rows only, each in the caller's transaction. Keeping a board out is twins.py's, and naming one is naming.py's.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cloud_shim.tables import BoardKeyRow, BoardRow
from device.protocol.enrolment import fingerprint

MOST = 8
"""Hashes kept for one device: the holder of its password may invent them."""
_NOTED = 30.0  # seconds between two notes of a board that keeps asking: each is a write to the disk


def of(session: Session, device: str) -> list[BoardKeyRow]:
    """Those of the device's name, the newest first."""
    rows = select(BoardKeyRow).where(BoardKeyRow.device == device)
    return list(session.scalars(rows.order_by(BoardKeyRow.last.desc(), BoardKeyRow.hash)))


def is_noted(row: BoardKeyRow | None, generation: int, now: float) -> bool:
    """Whether there is nothing to write for a board that shows its hash now."""
    return row is not None and row.generation == generation and 0 <= now - row.last < _NOTED


def note(session: Session, device: str, hash: str, hardware: str, generation: int, now: float) -> BoardKeyRow:
    """The row of this hash, shown just now. It stays with the board that showed it first.

    Beyond MOST the oldest go: a board that is still there shows its hash again. One with a name waits for its board.
    """
    row = session.get(BoardKeyRow, (device, hash)) or BoardKeyRow(device=device, hash=hash, hardware=hardware, name="")
    row.generation, row.last = generation, now
    session.add(row)
    session.flush()
    nameless = [each for each in of(session, device) if not each.name and each is not row]
    for each in nameless[MOST - 1 :]:
        session.delete(each)
    return row


def shown(rows: Sequence[BoardKeyRow], hardware: str) -> tuple[list[str], str]:
    """The fingerprints of the board's hashes, and the name it was given, if any."""
    here = [row for row in rows if row.hardware == hardware]
    named = [row for row in here if row.name]
    return [fingerprint(row.hash) for row in named or here], named[0].name if named else ""


def arrived(session: Session, name: str) -> list[str]:
    """A board came in as `name`: it claims no other any more. Gives the names that it claimed."""
    rows = list(session.scalars(select(BoardKeyRow).where(BoardKeyRow.name == name)))
    for row in rows:
        claim = (BoardRow.device == row.device) & (BoardRow.hardware == row.hardware) & BoardRow.chosen.is_(False)
        session.execute(delete(BoardRow).where(claim))
        session.delete(row)
    return [row.device for row in rows]
