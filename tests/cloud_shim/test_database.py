"""What the shim does with a database that is not as it left it."""

import sqlite3

import pytest
from sqlalchemy import select

from cloud_shim.database import Database
from cloud_shim.tables import SCHEMA, ReleaseRow
from device.errors import NotFoundError, RejectedError


def tables(path):
    with sqlite3.connect(path) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master"))


def test_the_schema_is_written_down_and_opens_again(tmp_path):
    path = tmp_path / "shim.db"
    for _ in range(2):
        Database(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM schema").fetchall() == [(SCHEMA,)]


def test_a_database_of_before_there_were_versions_is_taken_over(tmp_path):
    path = tmp_path / "shim.db"
    Database(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE schema")
    Database(f"sqlite:///{path}").close()
    assert "schema" in tables(path)


def test_a_database_of_a_newer_lamplight_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "shim.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE schema (version INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO schema VALUES (?)", (SCHEMA + 1,))
    before = tables(path)
    with pytest.raises(RejectedError, match=f"schema {SCHEMA + 1}.*newer Lamplight"):
        Database(f"sqlite:///{path}")
    assert tables(path) == before


def test_a_file_that_is_no_database_is_refused_and_not_overwritten(tmp_path):
    path = tmp_path / "shim.db"
    path.write_text("these are somebody's notes\n" * 100)
    with pytest.raises(NotFoundError, match="cannot be opened"):
        Database(f"sqlite:///{path}")
    assert path.read_text().startswith("these are somebody's notes")


def test_releases_and_deployments_of_before_there_were_tokens_stay_and_have_no_maker(tmp_path):
    """The tables as Lamplight 0.1.0 made them, and that version still writes them afterwards."""
    path = tmp_path / "shim.db"
    Database(f"sqlite:///{path}").close()
    old = "INSERT INTO releases (kind,name,version,sha256,length,chunk_index,manifest,created) VALUES (?,?,?,?,?,?,?,?)"
    with sqlite3.connect(path) as connection:
        for table in ("api_tokens", "withdrawals"):
            connection.execute(f"DROP TABLE {table}")
        for table in ("releases", "deployments"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN by")
        connection.execute(old, ("function", "lamp", 1, "a" * 64, 9, "", "{}", 1.0))
    database = Database(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute(old, ("function", "lamp", 2, "b" * 64, 9, "", "{}", 2.0))
    with database.read() as session:
        rows = session.scalars(select(ReleaseRow).order_by(ReleaseRow.version)).all()
        assert [(row.version, row.by) for row in rows] == [(1, ""), (2, "")]
    database.close()
    assert {"api_tokens", "withdrawals"} <= set(tables(path))
