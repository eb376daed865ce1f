"""For how long a credential that floods is kept out."""

import pytest

from cloud_shim.database import Database
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.pauses import FIRST, LONGEST, Pause, Pauses, following
from cloud_shim.tables import DeviceRow

DAY = 86400.0


def test_a_pause_grows_with_each_flood_in_a_row_to_an_hour_and_a_day_of_peace_ends_the_row():
    pause, lengths = None, []
    for _ in range(9):
        now = pause.until + 1 if pause else 1000.0
        pause = following(pause, now)
        lengths.append(pause.until - pause.began)
    assert lengths == [FIRST * each for each in (1, 2, 4, 8, 16, 32)] + [LONGEST] * 3
    assert following(pause, pause.until + DAY).times == 1
    assert following(Pause(2**40, 0, 1000.0), 1001.0).until == 1001.0 + LONGEST


def test_a_pause_from_a_clock_that_ran_ahead_is_over():
    assert not Pause(1, 1000.0, 1060.0).is_on(999.0)
    assert Pause(1, 1000.0, 1060.0).is_on(1000.0)
    assert not Pause(1, 1000.0, 1060.0).is_on(1060.0)


class Fleet:
    """Pauses with a clock and a broker's list of the test's own."""

    def __init__(self, database) -> None:
        self.now = 1000.0
        self.database = database
        self.admitted = []
        self.start()

    def start(self):
        self.pauses = Pauses(
            self.database, Changes(), lambda: self.admitted.append(self.pauses.leave_out()), lambda: self.now
        )


@pytest.fixture
def fleet(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/shim.db")
    with database.write() as session:
        session.add(DeviceRow(name="tv", board="b", credential="", created=0.0, online=True))
    yield Fleet(database)
    database.close()


def test_the_broker_is_told_at_once_and_again_when_the_pause_is_over(fleet):
    for _ in range(100):
        fleet.pauses.flooded("tv")
    assert fleet.admitted == [{"tv"}]
    assert (fleet.pauses.is_out("tv"), fleet.pauses.is_out("pi")) == (True, False)
    assert fleet.pauses.look()
    with fleet.database.read() as session:
        assert not session.get_one(DeviceRow, "tv").online
    assert not fleet.pauses.look()
    fleet.now += FIRST
    fleet.pauses.look()
    fleet.pauses.look()
    assert fleet.admitted == [{"tv"}, set()]
    fleet.pauses.flooded("tv")
    assert fleet.pauses.known() == {"tv": Pause(2, fleet.now, fleet.now + 2 * FIRST)}


def test_the_broker_is_told_again_when_the_flood_goes_on(fleet):
    fleet.pauses.flooded("tv")
    fleet.now += 3
    fleet.pauses.flooded("tv")
    assert fleet.admitted == [{"tv"}] * 2
    assert fleet.pauses.known()["tv"].times == 1


def test_a_person_may_end_a_pause_and_the_next_one_is_longer_all_the_same(fleet):
    fleet.pauses.end("tv")
    fleet.pauses.flooded("tv")
    fleet.pauses.end("tv")
    assert fleet.admitted == [{"tv"}, set()]
    fleet.start()
    fleet.now += 5
    fleet.pauses.flooded("tv")
    assert fleet.pauses.known()["tv"].times == 2


def test_a_restart_ends_no_pause_and_forgets_no_flood(fleet):
    fleet.pauses.flooded("tv")
    fleet.start()
    assert fleet.pauses.leave_out() == {"tv"}
    fleet.now += FIRST
    assert fleet.pauses.leave_out() == set()
    fleet.pauses.flooded("tv")
    assert fleet.pauses.known()["tv"].times == 2
