"""A name of its own for a board that is kept out of another's: whom it is given to, and what a thief has of it."""

import pytest

from cloud_shim.database import Database
from cloud_shim.fleet.board_keys import MOST
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.enrolment import Enrolment
from cloud_shim.fleet.members import Members
from cloud_shim.fleet.naming import Naming, Steps
from cloud_shim.fleet.silence import SILENT_AFTER
from cloud_shim.fleet.twins import Twins
from cloud_shim.tables import BoardKeyRow, DeviceRow
from device.enrol.secret import hash_password
from device.errors import NotFoundError, RejectedError
from device.protocol import enrolment, topics
from device.protocol.enrolment import DISPLACED, KEPT, Ask, fingerprint
from device.protocol.errors import ProtocolError
from device.protocol.topics import Topic

ONE, TWO, THREE = "1000/aaaaaaaa", "2000/bbbbbbbb", "3000/cccccccc"
SHARED, NEXT = hash_password("on the card"), hash_password("next")
OWN, STRANGE = hash_password("made on TWO"), hash_password("made by the thief")


class Fleet:
    """The device desk-pi, whose card was copied; ONE is it, and others come in with the same password."""

    fleet = "home"

    def __init__(self, folder):
        self.now = 1_000_000.0
        self.let_in = {}
        self.told = []
        self.gone_on = []
        self.announced = []
        self.stop_at = ""
        self.database = Database(f"sqlite:///{folder / 'shim.db'}")
        self.members = Members(self.database, Changes(), self._admit, lambda: self.now)
        self.members.enrol("desk-pi", "raspberry-pi/4b", SHARED)
        self.start()
        self.twins.connected("desk-pi", ONE)

    def start(self):
        """The shim starts, perhaps again."""
        clock = lambda: self.now  # noqa: E731
        self.twins = Twins(self.database, clock, self.announced.append)
        self.door = Enrolment(
            self.database,
            self.members,
            self,
            clock,
            displaced=lambda device, ask: self.naming.answer(device, ask),
        )
        self.naming = Naming(self.database, self.twins, Steps(self._enter, self._go_on), clock)

    def comes(self, hardware, own="", generation=7, name="desk-pi", hash=NEXT):
        """The board connects and asks; gives the shim's last answer."""
        self.twins.connected(name, hardware)
        ask = Ask(name, "raspberry-pi/4b", "", hash, "", own, generation)
        self.door.asked(Topic("home", "ask", name, "client"), ask.encode())
        answer = topics.enrolment("home", name, "client", "answer")
        return next(enrolment.answer(payload) for topic, payload in reversed(self.told) if topic == answer)

    def send(self, topic, payload, *, qos=1, retain=False):
        self.told.append((topic, payload))

    def _admit(self, hashes, limited):
        self.let_in = dict(hashes)

    def _enter(self, name, board, hash):
        self._maybe_stop("before it is let in")
        self.door.admit(name, board, hash)
        self._maybe_stop("after it was let in")

    def _go_on(self, *what):
        self.gone_on.append(what)
        self._maybe_stop("after it goes on")

    def _maybe_stop(self, where):
        if self.stop_at == where:
            raise KeyboardInterrupt(where)


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path)


def test_the_board_hears_its_name_and_comes_in_under_it_and_claims_no_other_any_more(fleet):
    answer = fleet.comes(TWO)
    assert (answer.state, answer.hardware, answer.own, answer.name) == (DISPLACED, TWO, "", "")
    answer = fleet.comes(TWO, OWN)
    assert (answer.own, answer.name) == (OWN, "")
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "somebody")
    assert fleet.let_in == {"desk-pi": SHARED, "shelf-pi": OWN}
    assert fleet.gone_on == [("shelf-pi", "desk-pi", 7, "somebody")]
    (notice,) = fleet.twins.notices()
    assert f"{TWO} is to be shelf-pi" in notice and "next attempt" in notice
    # Whenever it comes, and however often it has to be told.
    fleet.now += 3 * 86400
    fleet.comes(ONE)
    for _ in range(2):
        assert (answer := fleet.comes(TWO, OWN)).name == "shelf-pi" and answer.own == OWN
    assert fleet.twins.connected("shelf-pi", TWO)
    assert fleet.announced == ["desk-pi"]
    assert fleet.twins.notices() == [] and fleet.twins.boards("desk-pi") == []
    assert fleet.comes(TWO, name="shelf-pi").state == KEPT


def test_nothing_changes_for_the_chosen_board(fleet):
    fleet.comes(TWO, OWN)
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    answer = fleet.comes(ONE)
    assert (answer.state, answer.name, answer.own) == (KEPT, "", "")
    assert fleet.let_in["desk-pi"] == SHARED
    # A person has decided: its silence makes the other one the device no more.
    fleet.now += SILENT_AFTER + 1
    assert fleet.comes(TWO, OWN).state == DISPLACED


def test_an_older_shim_and_an_older_agent_go_on_as_they_did(fleet):
    assert b"own" not in Ask("desk-pi", "b", "", NEXT).encode()
    assert b"name" not in enrolment.Answer(DISPLACED, "why").encode()
    fleet.comes(TWO)
    with pytest.raises(RejectedError) as refused:
        fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    assert "its agent is too old" in str(refused.value) and "image --name" in str(refused.value)
    assert fleet.let_in == {"desk-pi": SHARED}


@pytest.mark.parametrize("own", ["x", "$7$101$a$b", OWN.replace("101", "100000"), 7])
def test_a_password_unfit_for_the_broker_is_refused(own):
    body = Ask("desk-pi", "b", "", NEXT, "", OWN).encode().replace(OWN.encode(), str(own).encode())
    with pytest.raises(ProtocolError):
        enrolment.ask(body)


# What the holder of a copy of the card may try. He has the device's password, and may say that he is any board.


def test_a_thief_who_hears_the_name_cannot_use_it(fleet):
    fleet.comes(TWO, OWN)
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    assert fleet.comes(TWO, STRANGE).name == ""
    assert fleet.comes(THREE, STRANGE).name == ""
    # He may even have seen the hash: it opens nothing.
    assert fleet.comes(THREE, OWN).name == "shelf-pi"
    assert fleet.let_in["shelf-pi"] == OWN
    assert fleet.comes(TWO, OWN).name == "shelf-pi"


def test_a_thief_who_is_first_with_the_boards_serial_number_is_told_apart_by_the_fingerprint(fleet):
    fleet.comes(TWO, STRANGE)
    fleet.comes(TWO, OWN)
    with pytest.raises(RejectedError) as refused:
        fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    assert fingerprint(OWN) in str(refused.value) and fingerprint(STRANGE) in str(refused.value)
    assert set(fleet.twins.boards("desk-pi")[1]["fingerprints"]) == {fingerprint(OWN), fingerprint(STRANGE)}
    fleet.naming.name("desk-pi", fingerprint(OWN), "shelf-pi", "")
    assert fleet.let_in["shelf-pi"] == OWN


def test_a_thief_cannot_make_a_given_name_unheard(fleet):
    fleet.comes(TWO, OWN)
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    for number in range(3 * MOST):
        fleet.now += 60
        fleet.comes(f"-/{number:08x}", hash_password(str(number)))
    assert fleet.comes(TWO, OWN).name == "shelf-pi"
    with fleet.database.read() as session:
        assert session.query(BoardKeyRow).count() <= MOST + 1


def test_a_thief_cannot_take_another_devices_name_by_what_he_says(fleet):
    fleet.members.enrol("hall-pi", "raspberry-pi/4b", hash_password("its own"))
    before = dict(fleet.let_in)
    fleet.comes(TWO, STRANGE)
    fleet.comes(TWO, before["hall-pi"])
    assert fleet.let_in == before
    with pytest.raises(RejectedError, match="There is a device hall-pi already"):
        fleet.naming.name("desk-pi", fingerprint(STRANGE), "hall-pi", "")
    assert fleet.let_in == before


def test_only_a_board_that_is_kept_out_shows_a_password_of_its_own(fleet):
    fleet.comes(TWO)
    assert fleet.comes(ONE, STRANGE).state == KEPT
    with pytest.raises(RejectedError, match="1000 is desk-pi"):
        fleet.naming.name("desk-pi", "1000", "shelf-pi", "")
    with fleet.database.read() as session:
        assert session.query(BoardKeyRow).count() == 0


# What a person may get wrong.


def test_what_claims_no_name_is_given_none(fleet):
    fleet.comes(TWO, OWN)
    for device, board in (("desk-pi", "9999"), ("nobody", "2000"), ("desk-pi", "")):
        with pytest.raises(NotFoundError):
            fleet.naming.name(device, board, "shelf-pi", "")


def test_a_board_gets_one_name_and_is_not_the_device_then(fleet):
    fleet.comes(TWO, OWN)
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    with pytest.raises(RejectedError, match="was given the name shelf-pi before"):
        fleet.naming.name("desk-pi", "2000", "bench-pi", "")
    with pytest.raises(RejectedError, match="was given the name shelf-pi"):
        fleet.twins.choose("desk-pi", "2000")
    # The way back.
    fleet.door.revoke("shelf-pi")
    assert fleet.comes(TWO, OWN).name == ""
    fleet.naming.name("desk-pi", "2000", "bench-pi", "")
    assert fleet.comes(TWO, OWN).name == "bench-pi"


def test_two_boards_are_not_given_one_name(fleet):
    fleet.comes(TWO, OWN)
    fleet.comes(THREE, STRANGE)
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    with pytest.raises(RejectedError, match="There is a device shelf-pi already"):
        fleet.naming.name("desk-pi", "3000", "shelf-pi", "")
    assert fleet.comes(THREE, STRANGE).name == ""


@pytest.mark.parametrize("where", ["before it is let in", "after it was let in", "after it goes on"])
def test_a_shim_that_dies_in_between_tells_no_name_that_does_not_open_and_the_same_again_completes_it(fleet, where):
    fleet.comes(TWO, OWN)
    fleet.stop_at = where
    with pytest.raises(KeyboardInterrupt):
        fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    fleet.stop_at = ""
    fleet.start()
    assert fleet.comes(TWO, OWN).name == ""
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    assert fleet.comes(TWO, OWN).name == "shelf-pi"
    assert fleet.let_in == {"desk-pi": SHARED, "shelf-pi": OWN}
    assert fleet.twins.connected("shelf-pi", TWO)


def test_a_database_from_before_takes_names(tmp_path):
    fleet = Fleet(tmp_path)
    with fleet.database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE board_keys")
    fleet.database = Database(f"sqlite:///{tmp_path / 'shim.db'}")
    fleet.members = Members(fleet.database, Changes(), fleet._admit, lambda: fleet.now)
    fleet.start()
    fleet.comes(TWO, OWN)
    fleet.naming.name("desk-pi", "2000", "shelf-pi", "")
    with fleet.database.read() as session:
        assert session.get(DeviceRow, "shelf-pi").board == "raspberry-pi/4b"
