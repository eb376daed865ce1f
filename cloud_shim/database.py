"""Transactions on the shim's tables. Portable SQL: SQLite by default, PostgreSQL for larger fleets.

It makes the tables, and the columns that an older Lamplight's lack. The tables themselves are tables.py's.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import create_engine, event, func, inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateColumn

from cloud_shim.tables import SCHEMA, Base, SchemaRow
from device.errors import NotFoundError, RejectedError


class Database:
    """Transactions. Reads run beside each other; writes of this process one after the other.

    SQLite has one writer anyway, and would answer "locked" to a transaction with a read before its write.
    """

    def __init__(self, url: str) -> None:
        """Open the database, and make its missing parts.

        RejectedError, with nothing touched, when a newer Lamplight has written it; NotFoundError when it fails to open.
        """
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _set_up_sqlite)
        self._writing = threading.Lock()
        try:
            self._set_up(url)
        except BaseException:
            self._engine.dispose()
            raise

    def _set_up(self, url: str) -> None:
        try:
            version = self._version()
            if version > SCHEMA:
                raise RejectedError(
                    f"The database {url} has schema {version}; this shim knows up to {SCHEMA}",
                    "a newer Lamplight has written it",
                    "Start that newer one, or restore the copy from before the upgrade",
                )
            Base.metadata.create_all(self._engine)
            with self._engine.begin() as connection:
                _add_columns(connection)
            with self.write() as session:
                session.merge(SchemaRow(version=SCHEMA))
        except DBAPIError as error:
            raise NotFoundError(
                f"The database {url} cannot be opened", str(error.orig), "`lamplight doctor` looks at it"
            ) from None

    def _version(self) -> int:
        if not inspect(self._engine).has_table(SchemaRow.__tablename__):
            return 0
        with self.read() as session:
            return session.scalar(select(func.max(SchemaRow.version))) or 0

    @contextmanager
    def read(self) -> Generator[Session]:
        """A session for reading; changes in it are dropped."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Generator[Session]:
        """A transaction: durable when the block ends, undone when it raises."""
        with self._writing, Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _add_columns(connection: Connection) -> None:
    """Add the columns missing in the tables of an older Lamplight.

    Each has a default of the database's own, so the older one still reads and writes its tables.
    """
    there = inspect(connection)
    quoted = connection.dialect.identifier_preparer.format_table
    for table in Base.metadata.sorted_tables:
        known = {each["name"] for each in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {quoted(table)} ADD COLUMN {definition}")


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # FULL: an acknowledged record survives a power cut, not only a crash of the process.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
