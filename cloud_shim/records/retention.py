"""Limits the records to the newest of each stream of each device: so many, and so many bytes.

Each stream of each device has its own limits, so none pushes out another's. Records that went since a stream was too
large are noted as an excess (excesses.py); those beyond the number are simply old.
"""

from typing import NamedTuple

from sqlalchemy import delete, func, select

from cloud_shim.database import Database
from cloud_shim.records.excesses import Excesses
from cloud_shim.tables import DeviceRow, RecordRow
from device.protocol.topics import STREAMS

KEEP = 500_000
"""Records of each stream of each device, by default. About 300 bytes each: a day of a light sensor read five times a
second, and months of logs."""
KEEP_BYTES = 256 * 1024 * 1024
"""Bytes of each stream of each device, by default: above KEEP records of the usual length."""

# Records deleted in one transaction: devices wait for their acknowledgements meanwhile.
_BATCH = 2000


class Counted(NamedTuple):
    """The bytes of a stream's records up to the one with this id."""

    id: int
    bytes: int


_NOTHING = Counted(0, 0)


class Retention:
    """The limits of one fleet's records. `prune` holds them; it is called now and then, from one thread."""

    def __init__(self, database: Database, excesses: Excesses, keep: int, keep_bytes: int = KEEP_BYTES) -> None:
        self._database = database
        self._excesses = excesses
        self._keep = keep
        self._keep_bytes = keep_bytes
        # Kept from one time to the next: only the records that came in between are measured.
        self._counted: dict[tuple[str, str], Counted] = {}

    def prune(self) -> int:
        """Remove all but the newest records of each stream of each device; gives how many went."""
        with self._database.read() as session:
            devices = set(session.scalars(select(DeviceRow.name)))
        self._counted = {key: value for key, value in self._counted.items() if key[0] in devices}
        return sum(self._prune(device, stream) for device in sorted(devices) for stream in STREAMS)

    def _prune(self, device: str, stream: str) -> int:
        removed = self._remove_old(device, stream)
        kept, large = self._measured(device, stream, self._counted.get((device, stream), _NOTHING)), 0
        if kept.bytes > self._keep_bytes:
            # Anew, before anything goes: the device may have been removed, with its records, and have come again.
            kept = self._measured(device, stream, _NOTHING)
        while kept.bytes > self._keep_bytes:
            ids, bytes = self._remove(device, stream, kept.id, kept.bytes - self._keep_bytes)
            # None left: they went with their device meanwhile.
            kept = Counted(kept.id, kept.bytes - bytes if ids else 0)
            large += ids
        self._counted[device, stream] = kept
        if large:
            self._excesses.note(device, stream, large)
        return removed + large

    def _measured(self, device: str, stream: str, before: Counted) -> Counted:
        mine = (RecordRow.device == device) & (RecordRow.stream == stream) & (RecordRow.id > before.id)
        with self._database.read() as session:
            measures = func.max(RecordRow.id), func.sum(func.length(RecordRow.body))
            last, added = session.execute(select(*measures).where(mine)).one()
        return before if added is None else Counted(last, before.bytes + int(added))

    def _remove_old(self, device: str, stream: str) -> int:
        mine = (RecordRow.device == device) & (RecordRow.stream == stream)
        newest = select(RecordRow.id).where(mine).order_by(RecordRow.id.desc())
        with self._database.read() as session:
            last = session.scalar(newest.offset(self._keep).limit(1))
        removed = 0
        while last is not None:
            gone, bytes = self._remove(device, stream, last)
            if not gone:
                break
            removed += gone
            if before := self._counted.get((device, stream)):
                self._counted[device, stream] = Counted(before.id, max(0, before.bytes - bytes))
        return removed

    def _remove(self, device: str, stream: str, last: int, least: int | None = None) -> tuple[int, int]:
        """Remove the oldest up to the id `last`, in one transaction, and no more than makes `least` bytes.

        Gives how many went, and their bytes.
        """
        mine = (RecordRow.device == device) & (RecordRow.stream == stream) & (RecordRow.id <= last)
        oldest = select(RecordRow.id, func.length(RecordRow.body)).where(mine).order_by(RecordRow.id).limit(_BATCH)
        with self._database.write() as session:
            taken, bytes, end = 0, 0, 0
            for id, length in session.execute(oldest):
                if least is not None and bytes >= least:
                    break
                taken, bytes, end = taken + 1, bytes + length, id
            session.execute(delete(RecordRow).where(mine, RecordRow.id <= end))
        return taken, bytes
