"""From a device's messages to the rows kept in the database. Pure.

A record against the protocol is left out with a warning, and its batch is still acknowledged: held back, it would be
sent for ever and block the records behind it.
"""

import json
import logging
import re

from cloud_shim.fleet.aftermath import Part
from cloud_shim.fleet.outcomes import Outcome
from cloud_shim.tables import RecordRow
from device.protocol import records
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, is_name, number, text
from device.protocol.messages import Batch
from device.protocol.reported import FINAL, Reported

logger = logging.getLogger(__name__)

_BOOT = re.compile(r"[0-9]{1,10}-[0-9a-f]{8}", re.ASCII)
_MOST = 2**53
_KINDS = {"functions": "function", "models": "model"}


def rows(device: str, stream: str, batch: Batch, received: float) -> list[RecordRow]:
    """The rows of a batch, in its order; ProtocolError when the batch lacks its boot."""
    if not _BOOT.fullmatch(batch.boot):
        raise ProtocolError(f"batch.boot: {batch.boot[:40]!r} is not of the form '12-9f3a61c2'")
    kept: dict[int, RecordRow] = {}
    for record in batch.records:
        try:
            row = _row(device, stream, batch.boot, record, received)
            kept.setdefault(row.seq, row)
        except ProtocolError as error:
            logger.warning("left out a record of %s: %s", device, error)
    return list(kept.values())


def last_seq(batch: Batch) -> int:
    """The highest number in the batch: it can be acknowledged up to here."""
    return max(integer(record, "seq", "batch.records", 0, _MOST) for record in batch.records)


def outcome_of_record(row: RecordRow) -> Outcome | None:
    """The generation's outcome, when the record tells of one."""
    if row.kind != "update":
        return None
    fields = json.loads(row.body)
    if fields["state"] not in FINAL:
        return None
    generation = integer(fields, "generation", "update", 0, _MOST)
    grounds: dict[str, object] = fields.get("evidence", {})
    return Outcome(generation, fields["state"], fields["reason"], _blamed(fields.get("part"), grounds.get("function")))


def outcomes_of_report(report: Reported) -> list[Outcome]:
    """The outcomes of generations, by a report. The running one comes first: a failed one is taken back to it."""
    update = report.update
    grounds = report.evidence.get(update.generation)
    blamed = _blamed(update.part, grounds.function if grounds else None)
    return [
        Outcome(generation, state) if state == "COMMITTED" else Outcome(generation, state, update.reason, blamed)
        for generation, state in report.outcomes()
    ]


def _row(device: str, stream: str, boot: str, record: dict[str, object], received: float) -> RecordRow:
    records.check(record)
    kind, function = text(record, "kind", "record"), text(record, "function", "record", "")
    if not is_name(kind) or not (function == "" or is_name(function)):
        raise ProtocolError(f"record: kind {kind[:40]!r} or function {function[:40]!r} is not a name")
    return RecordRow(
        device=device,
        stream=stream,
        boot=boot,
        seq=integer(record, "seq", "record", 0, _MOST),
        time=float(number(record, "time", "record")),
        received=received,
        kind=kind,
        function=function,
        body=json.dumps(record, separators=(",", ":")),
    )


def _blamed(part: object, function: object) -> Part | None:
    """The function or model the device names as its `part`; older agents name a function in their evidence."""
    kind, _, name = str(part or "").partition("/")
    if kind in _KINDS and is_name(name):
        return Part(_KINDS[kind], name)
    return Part("function", function) if isinstance(function, str) and is_name(function) else None
