"""Two boards with one name, as after the copy of a card: which of them is the device, and what is heard of the other.

Both have the device's password, so the broker cannot tell them apart: one connection ends the other. Each presence
names the board behind it (device/enrol/hardware.py). One board is the device; of another's connection the shim takes
nothing in: no record, report, reply or password. The other keeps its records, for they are never acknowledged, and
hears the reason. Agents before 0.2.0 name no board, and pass as the device. For any thread.
"""

import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud_shim.database import BoardRow, Database
from cloud_shim.fleet.silence import SILENT_AFTER
from cloud_shim.fleet.views import Json
from cloud_shim.words import amounts
from device.errors import NotFoundError

MOST = 8
"""Boards kept for one device: the holder of its password may invent them."""
_SHOWN = 86400.0  # seconds without a word after which a board that is not the device is shown no more


def is_device(hardware: str, chosen: BoardRow | None, now: float) -> bool:
    """Whether the board is the device from now on, where the `chosen` one was it up to now.

    A card moved to other hardware on purpose is heard alone: the board before it has fallen silent. Once a person has
    chosen, only a person changes it.
    """
    if chosen is None or not hardware or chosen.hardware == hardware:
        return True
    return not chosen.by_person and not 0 <= now - chosen.last <= SILENT_AFTER


class Twins:
    """The boards behind the names of one fleet."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        # The board at the other end of each device's connection; and the same where it is not the device.
        self._present: dict[str, str] = {}
        self._others: dict[str, str] = {}

    def connected(self, device: str, hardware: str) -> bool:
        """A board came in under the device's name. Whether it is the device; if not, nothing of it is taken in."""
        with self._lock, self._database.write() as session:
            self._present[device] = hardware
            now, rows = self._clock(), _rows(session, device)
            chosen = next((row for row in rows if row.chosen), None)
            if not hardware:
                self._others.pop(device, None)
                return True
            row = next((row for row in rows if row.hardware == hardware), None)
            row = row or BoardRow(device=device, hardware=hardware, chosen=False, by_person=False, first=now)
            row.last = now
            session.add(row)
            if is_device(hardware, chosen, now):
                _choose(rows, row)
                self._others.pop(device, None)
            else:
                self._others[device] = hardware
            _bound(session, [*rows, row])
            return device not in self._others

    def heard(self, session: Session, device: str) -> None:
        """The device said something just now."""
        for row in _rows(session, device):
            if row.chosen:
                row.last = self._clock()

    def refusal(self, device: str) -> str:
        """Why nothing is taken from the board now connected as `device`; "" when it is the device."""
        with self._lock:
            other = self._others.get(device, "")
        if not other:
            return ""
        with self._database.read() as session:
            chosen = next((row.hardware for row in _rows(session, device) if row.chosen), "unknown")
        return f"the board {chosen} is {device}; this one is {other}. {_remedy(device, other)}"

    def boards(self, device: str) -> list[Json]:
        """The boards that claim the name, the device itself first; [] when there is one only."""
        with self._database.read() as session:
            rows = _rows(session, device)
            shown = [row for row in rows if row.chosen or self._clock() - row.last < _SHOWN]
            views = [_view(row) for row in sorted(shown, key=lambda row: (not row.chosen, row.first))]
        return views if len(views) > 1 else []

    def contested(self) -> dict[str, list[Json]]:
        """The names that several boards claim, in order, each with its boards."""
        with self._database.read() as session:
            several = select(BoardRow.device).group_by(BoardRow.device).having(func.count() > 1)
            names = sorted(session.scalars(several))
        return {name: boards for name in names if (boards := self.boards(name))}

    def notices(self) -> list[str]:
        """Each name with several boards, in words."""
        return [told(name, boards) for name, boards in self.contested().items()]

    def choose(self, device: str, hardware: str) -> None:
        """This board is the device, by a person's word. NotFoundError when none of this kind claims the name."""
        with self._lock, self._database.write() as session:
            rows = _rows(session, device)
            found = [row for row in rows if hardware in (row.hardware, *row.hardware.split("/"))]
            if len(found) != 1:
                known = ", ".join(row.hardware for row in rows) or "none"
                raise NotFoundError(f"No one board {hardware!r} claims {device}", f"those that do: {known}")
            _choose(rows, found[0])
            found[0].by_person = True
            present = self._present.get(device, "")
            if present in ("", found[0].hardware):
                self._others.pop(device, None)
            else:
                self._others[device] = present


def told(device: str, boards: Sequence[Json]) -> str:
    """The claims on one name, in words."""
    each = "; ".join(
        f"{board['hardware']} {'is in use' if board['chosen'] else 'is kept out'}, first {_when(board['first'])}, "
        f"last {_when(board['last'])}"
        for board in boards
    )
    count = {2: "two"}.get(len(boards), str(len(boards)))
    return f"{count} boards claim {device}: {each}. {_remedy(device, str(boards[1]['hardware']))}"


def _remedy(device: str, other: str) -> str:
    return (
        f"`lamplight devices choose {device} {other}` makes the other one {device}; for a name of its own, write it a "
        "card with another name (`python flash.py image --name`)"
    )


def _rows(session: Session, device: str) -> list[BoardRow]:
    return list(session.scalars(select(BoardRow).where(BoardRow.device == device)))


def _choose(rows: Sequence[BoardRow], row: BoardRow) -> None:
    if row.chosen:
        return
    for each in rows:
        each.chosen = each.by_person = False
    row.chosen = True


def _bound(session: Session, rows: Sequence[BoardRow]) -> None:
    others = sorted({row for row in rows if not row.chosen}, key=lambda row: row.last, reverse=True)
    for row in others[MOST - 1 :]:
        session.delete(row)


def _view(row: BoardRow) -> Json:
    return {"hardware": row.hardware, "chosen": row.chosen, "first": row.first, "last": row.last}


def _when(moment: object) -> str:
    assert isinstance(moment, float), "as _view has it"
    return f"{amounts.moment(moment)} UTC"
