"""Two boards with one name, as after the copy of a card: which of them is the device, and what is heard of the other.

Both have the device's password, so the broker cannot tell them apart: one connection ends the other. Each presence
names the board behind it (device/enrol/hardware.py). One board is the device; of another's connection the shim takes
nothing in: no record, report, reply or password. The other keeps its records, for they are never acknowledged, and
hears the reason; a person may give it a name of its own (naming.py). Agents before 0.2.0 name no board, and pass as the
device. For any thread.
"""

import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud_shim.database import Database
from cloud_shim.fleet import board_keys
from cloud_shim.fleet.silence import SILENT_AFTER
from cloud_shim.fleet.views import Json
from cloud_shim.tables import BoardKeyRow, BoardRow
from cloud_shim.words import amounts
from device.errors import NotFoundError, RejectedError

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

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        announce: Callable[[str], None] = lambda device: None,
    ) -> None:
        """`announce` is called with a device whose name a board has ceased to claim."""
        self._database = database
        self._announce = announce
        self._clock = clock
        self._lock = threading.Lock()
        # The board at the other end of each device's connection; and the same where it is not the device.
        self._present: dict[str, str] = {}
        self._others: dict[str, str] = {}

    def connected(self, device: str, hardware: str) -> bool:
        """A board came in under the device's name. Whether it is the device; if not, nothing of it is taken in."""
        with self._lock, self._database.write() as session:
            left = board_keys.arrived(session, device)
            is_device = self._came_in(session, device, hardware)
        for each in left:
            self._announce(each)
        return is_device

    def _came_in(self, session: Session, device: str, hardware: str) -> bool:
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
        if not (other := self.other(device)):
            return ""
        with self._database.read() as session:
            chosen = next((row.hardware for row in _rows(session, device) if row.chosen), "unknown")
        return f"the board {chosen} is {device}; this one is {other}. {_remedy(device, other)}"

    def other(self, device: str) -> str:
        """The board now connected as `device` without being it; "" when there is none."""
        with self._lock:
            return self._others.get(device, "")

    def boards(self, device: str) -> list[Json]:
        """The boards that claim the name, the device itself first; [] when there is one only."""
        with self._database.read() as session:
            rows, keys = _rows(session, device), board_keys.of(session, device)
            views = [
                _view(row, keys)
                for row in sorted(rows, key=lambda row: (not row.chosen, row.first))
                if row.chosen or self._clock() - row.last < _SHOWN or board_keys.shown(keys, row.hardware)[1]
            ]
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
        """This board is the device, by a person's word. NotFoundError when no one board of this kind claims the name,
        RejectedError when it was given another.
        """
        with self._lock, self._database.write() as session:
            rows = _rows(session, device)
            found = [row for row in rows if hardware in (row.hardware, *row.hardware.split("/"))]
            if len(found) != 1:
                known = ", ".join(row.hardware for row in rows) or "none"
                raise NotFoundError(f"No one board {hardware!r} claims {device}", f"those that do: {known}")
            if named := board_keys.shown(board_keys.of(session, device), found[0].hardware)[1]:
                raise RejectedError(
                    f"{hardware} was given the name {named}", "", f"`lamplight devices revoke {named}` takes it back"
                )
            _choose(rows, found[0])
            found[0].by_person = True
            present = self._present.get(device, "")
            if present in ("", found[0].hardware):
                self._others.pop(device, None)
            else:
                self._others[device] = present

    def keep(self, device: str) -> None:
        """The present device stays it until a person says otherwise."""
        with self._database.write() as session:
            for row in _rows(session, device):
                row.by_person = row.chosen


def told(device: str, boards: Sequence[Json]) -> str:
    """The claims on one name, in words."""
    each = "; ".join(
        f"{board['hardware']} {_state(board)}, first {_when(board['first'])}, last {_when(board['last'])}"
        for board in boards
    )
    count = {2: "two"}.get(len(boards), str(len(boards)))
    waiting = next((str(board["hardware"]) for board in boards if not board["chosen"] and not board["named"]), "")
    remedy = (
        _remedy(device, waiting) if waiting else "It hears that at its next attempt to connect, within an hour or so"
    )
    return f"{count} boards claim {device}: {each}. {remedy}"


def _state(board: Json) -> str:
    if board["named"]:
        return f"is to be {board['named']}"
    return "is in use" if board["chosen"] else "is kept out"


def _remedy(device: str, other: str) -> str:
    return (
        f"`lamplight devices rename {device} {other} NAME` gives that one a name of its own, "
        f"`lamplight devices choose {device} {other}` makes it {device} in the other's place"
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
    named = {key.hardware for key in board_keys.of(session, rows[0].device) if key.name}
    others = {row for row in rows if not row.chosen and row.hardware not in named}
    oldest = sorted(others, key=lambda row: row.last, reverse=True)
    for row in oldest[MOST - 1 :]:
        session.delete(row)


def _view(row: BoardRow, keys: Sequence[BoardKeyRow]) -> Json:
    fingerprints, named = board_keys.shown(keys, row.hardware)
    told = {"hardware": row.hardware, "chosen": row.chosen, "first": row.first, "last": row.last}
    return {**told, "fingerprints": fingerprints, "named": named}


def _when(moment: object) -> str:
    assert isinstance(moment, float), "as _view has it"
    return f"{amounts.moment(moment)} UTC"
