"""Limits the records to the newest of each stream of each device. Their number is its only concern."""

from sqlalchemy import delete, select

from cloud_shim.database import Database, DeviceRow, RecordRow
from device.protocol.topics import STREAMS

KEEP = 500_000
"""Records of each stream of each device, by default. About 300 bytes each: a day of a light sensor read five times a
second, and months of logs."""

# Records deleted in one transaction: devices wait for their acknowledgements meanwhile.
_BATCH = 2000


def prune(database: Database, keep: int) -> int:
    """Remove all but the newest `keep` records of each stream of each device; gives how many went."""
    with database.read() as session:
        devices = list(session.scalars(select(DeviceRow.name)))
    return sum(_prune(database, device, stream, keep) for device in devices for stream in STREAMS)


def _prune(database: Database, device: str, stream: str, keep: int) -> int:
    mine = (RecordRow.device == device) & (RecordRow.stream == stream)
    with database.read() as session:
        last = session.scalar(select(RecordRow.id).where(mine).order_by(RecordRow.id.desc()).offset(keep).limit(1))
    removed = 0
    while last is not None:
        with database.write() as session:
            oldest = select(RecordRow.id).where(mine, RecordRow.id <= last).order_by(RecordRow.id).limit(_BATCH)
            ids = list(session.scalars(oldest))
            if not ids:
                break
            session.execute(delete(RecordRow).where(mine, RecordRow.id.between(ids[0], ids[-1])))
            removed += len(ids)
    return removed
