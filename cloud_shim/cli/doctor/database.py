"""The shim's SQLite file: does it open, is it whole, can this version read it. It is opened for reading only."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

from cloud_shim.tables import SCHEMA, SchemaRow
from device.doctor.check import Finding, fail, ok, skip

# Seconds; the whole file is read.
PATIENCE = 300.0
_RESTORE = "Stop the shim and restore a copy; `sqlite3 shim.db .recover` saves what can be read"


def opens(path: Path) -> Finding:
    """The file is a database, of a form known to this version."""
    if not path.exists():
        return skip(f"{path} is not there: nothing was started yet", "`lamplight up`")
    try:
        with _reading(path) as database:
            known = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (SchemaRow.__tablename__,))
            version = database.execute("SELECT MAX(version) FROM schema").fetchone()[0] if known.fetchone() else 0
    except sqlite3.Error as error:
        return fail(f"{path} cannot be read: {error}", _RESTORE)
    return judge_version(version or 0)


def judge_version(version: int) -> Finding:
    """The schema's number in the file."""
    if version > SCHEMA:
        return fail(
            f"its schema {version} is of a newer Lamplight; this one knows up to {SCHEMA}",
            "Start that newer one, or restore the copy from before the upgrade",
        )
    return ok(f"schema {version} of {SCHEMA}")


def whole(path: Path) -> Finding:
    """Every page of it can be read and fits the others."""
    if not path.exists():
        return skip(f"{path} is not there")
    try:
        with _reading(path) as database:
            told = [row[0] for row in database.execute("PRAGMA quick_check(3)")]
            count = database.execute("SELECT COUNT(*) FROM records").fetchone()[0] if told == ["ok"] else 0
    except sqlite3.Error as error:
        return fail(f"{path} is damaged: {error}", _RESTORE)
    if told != ["ok"]:
        return fail(f"{path} is damaged: {'; '.join(told)}", _RESTORE)
    return ok(f"{count:,} records in {path.stat().st_size / 1e6:.1f} MB")


@contextlib.contextmanager
def _reading(path: Path) -> Generator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as database:
        yield database
