"""Since when a device has a library: from the first report of that version on."""

import pytest

from cloud_shim.database import Database
from cloud_shim.records import libraries
from cloud_shim.tables import DeviceRow


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/shim.db")
    with made.write() as session:
        session.add(DeviceRow(name="pi", board="b", simulation=None, credential="", created=0.0))
    yield made
    made.close()


def note(database, told, now):
    with database.write() as session:
        libraries.note(session, "pi", told, now)
    with database.read() as session:
        return {name: (each["version"], each["since"]) for name, each in libraries.known(session, "pi").items()}


def test_a_version_has_the_time_of_its_first_report(database):
    assert note(database, {"tuf": "6.0"}, 1.0) == {"tuf": ("6.0", 1.0)}
    assert note(database, {"tuf": "6.0", "new": "1"}, 2.0) == {"tuf": ("6.0", 1.0), "new": ("1", 2.0)}
    assert note(database, {"tuf": "6.1"}, 3.0) == {"tuf": ("6.1", 3.0)}


def test_an_older_agent_that_tells_none_changes_nothing(database):
    assert note(database, {}, 1.0) == {}
    note(database, {"tuf": "6.0"}, 2.0)
    assert note(database, {}, 3.0) == {"tuf": ("6.0", 2.0)}
