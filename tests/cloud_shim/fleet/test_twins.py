"""Two boards with one identity: which of them is the device, and what people are told."""

import pytest

from cloud_shim.database import Database
from cloud_shim.fleet.silence import SILENT_AFTER
from cloud_shim.fleet.twins import MOST, Twins
from cloud_shim.tables import DeviceRow
from device.errors import NotFoundError

ONE, TWO = "1000/aaaaaaaa", "2000/bbbbbbbb"


class Fleet:
    def __init__(self, folder):
        self.now = 1_000_000.0
        self.database = Database(f"sqlite:///{folder / 'shim.db'}")
        with self.database.write() as session:
            session.add(DeviceRow(name="desk-pi", board="b", credential="c", created=1.0))
        self.twins = Twins(self.database, lambda: self.now)

    def connected(self, hardware):
        return self.twins.connected("desk-pi", hardware)


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path)


def test_the_copy_of_a_card_is_kept_out_and_the_first_board_goes_on(fleet):
    assert fleet.connected(ONE)
    for _ in range(3):
        fleet.now += 60
        assert not fleet.connected(TWO)
        assert ONE in fleet.twins.refusal("desk-pi")
        assert fleet.connected(ONE)
        assert fleet.twins.refusal("desk-pi") == ""


def test_a_card_moved_to_other_hardware_is_the_device_once_the_first_board_is_silent(fleet):
    fleet.connected(ONE)
    fleet.now += SILENT_AFTER + 1
    assert fleet.connected(TWO)
    assert not fleet.connected(ONE)


def test_the_word_of_the_device_keeps_its_place(fleet):
    fleet.connected(ONE)
    fleet.now += SILENT_AFTER + 1
    with fleet.database.write() as session:
        fleet.twins.heard(session, "desk-pi")
    assert not fleet.connected(TWO)


def test_a_time_to_come_holds_the_place_for_nobody(fleet):
    fleet.connected(ONE)
    fleet.now -= 1e8
    assert fleet.connected(TWO)


def test_both_are_told_with_serials_and_times_and_a_person_chooses(fleet):
    fleet.connected(ONE)
    assert fleet.twins.notices() == []
    fleet.now += 60
    fleet.connected(TWO)
    assert [each["hardware"] for each in fleet.twins.boards("desk-pi")] == [ONE, TWO]
    (notice,) = fleet.twins.notices()
    assert notice.startswith("two boards claim desk-pi: 1000/aaaaaaaa is in use, first 1970-01-12 13:46 UTC")
    assert f"`lamplight devices choose desk-pi {TWO}`" in notice
    assert fleet.connected(ONE)
    fleet.twins.choose("desk-pi", "2000")
    # Its connection still stands, and it is the device no more.
    assert fleet.twins.refusal("desk-pi").startswith(f"the board {TWO} is desk-pi")
    assert fleet.connected(TWO)
    assert not fleet.connected(ONE)
    fleet.now += SILENT_AFTER + 1
    # A person's word holds, though the chosen board is away.
    assert not fleet.connected(ONE)


def test_what_claims_no_name_cannot_be_chosen(fleet):
    fleet.connected(ONE)
    with pytest.raises(NotFoundError, match=ONE):
        fleet.twins.choose("desk-pi", "3000")


def test_boards_invented_by_the_holder_of_a_password_are_bounded(fleet):
    fleet.connected(ONE)
    for number in range(3 * MOST):
        fleet.now += 1
        fleet.connected(f"-/{number}")
    assert len(fleet.twins.boards("desk-pi")) == MOST


def test_a_board_that_is_gone_is_shown_no_more(fleet):
    fleet.connected(ONE)
    fleet.connected(TWO)
    fleet.now += 2 * 86400
    assert fleet.twins.notices() == []


def test_a_restart_of_the_shim_forgets_nothing(fleet):
    fleet.connected(ONE)
    assert not Twins(fleet.database, lambda: fleet.now).connected("desk-pi", TWO)
