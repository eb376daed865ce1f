"""Reads the records back, in the order of their arrival."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select

from cloud_shim.database import Database
from cloud_shim.fleet import views
from cloud_shim.tables import RecordRow

LAST_ID = 2**63 - 1


@dataclass(frozen=True)
class Wanted:
    """The records to read; an empty text means any. With `before` only those with a lower id."""

    device: str = ""
    stream: str = ""
    function: str = ""
    before: int | None = None


def records(database: Database, wanted: Wanted, after: int | None, limit: int) -> list[views.Json]:
    """Up to `limit` RECORDs, oldest first: those after the id `after`, or the last ones when it is None."""
    chosen = _matching(wanted)
    if after is None:
        chosen = chosen.order_by(RecordRow.id.desc()).limit(limit)
    else:
        chosen = chosen.where(RecordRow.id > after).order_by(RecordRow.id).limit(limit)
    with database.read() as session:
        found = [views.record(row) for row in session.scalars(chosen)]
    return found if after is not None else found[::-1]


def last_id(database: Database) -> int:
    """The id of the newest record; 0 before the first."""
    with database.read() as session:
        return session.scalar(select(func.max(RecordRow.id))) or 0


def _matching(wanted: Wanted) -> Select[RecordRow]:
    chosen = select(RecordRow)
    if wanted.device:
        chosen = chosen.where(RecordRow.device == wanted.device)
    if wanted.stream:
        chosen = chosen.where(RecordRow.stream == wanted.stream)
    if wanted.function:
        chosen = chosen.where(RecordRow.function == wanted.function)
    if wanted.before is not None:
        chosen = chosen.where(RecordRow.id < wanted.before)
    return chosen
