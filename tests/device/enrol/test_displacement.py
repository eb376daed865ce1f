"""The board that is not the device: it gives way, shows a password of its own, and takes the name given to it."""

import pytest

from device.config import AgentConfig, BrokerConfig
from device.enrol import displacement, own_name
from device.enrol.displacement import Displacement, Ways
from device.enrol.own_name import OwnName
from device.protocol.enrolment import DISPLACED, KEPT, Answer

ONE, TWO = "1000/aaaaaaaa", "2000/bbbbbbbb"


class Board:
    """The board TWO, and what it did."""

    def __init__(self, state):
        self.state = state
        self.config = AgentConfig(
            "home", "desk-pi", "b", state, state, None, BrokerConfig("h", 1, "desk-pi", state / "password")
        )
        self.own = OwnName(self.config, TWO, 0)
        self.did = []
        self.online = self.proven = True
        ways = Ways(
            lambda: self.did.append("gave way"), self._show, lambda: self.proven, lambda: self.did.append("restarted")
        )
        self.displacement = Displacement(state, TWO, self.own, ways)

    def _show(self, hash):
        self.did.append(hash)
        return self.online

    def hears(self, hardware=TWO, own="", name="", state=DISPLACED):
        return self.displacement.answered(Answer(state, f"the board {ONE} is desk-pi", hardware, own, name))

    def done(self):
        did, self.did = self.did, []
        return did


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path)


def test_it_gives_way_says_why_and_tells_doctor_until_it_is_the_device_again(board, caplog):
    for _ in range(2):
        assert board.hears(own=board.own.hash())
    assert board.done() == ["gave way", "gave way"]
    assert caplog.text.count(f"Another board has this one's name: the board {ONE} is desk-pi") == 1
    assert displacement.reason(board.state) == f"the board {ONE} is desk-pi"
    assert not board.hears(state=KEPT)
    assert displacement.reason(board.state) == ""


def test_a_shim_that_knows_no_names_is_shown_nothing(board):
    board.hears(hardware="")
    assert board.done() == ["gave way"]


def test_what_the_other_board_is_told_changes_nothing_here(board):
    assert board.hears(hardware=ONE, own=board.own.hash(), name="shelf-pi")
    assert board.done() == []
    assert displacement.reason(board.state) == ""
    assert own_name.take_up(board.config).device == "desk-pi"


def test_it_shows_its_own_password_once_a_connection_and_then_gives_way(board):
    own = board.own.hash()
    board.hears()
    assert board.done() == [own]
    # A shim that does not keep it is not asked for ever.
    board.hears()
    assert board.done() == ["gave way"]
    board.displacement.connected()
    board.hears()
    board.hears(own=own)
    assert board.done() == [own, "gave way"]


def test_with_the_broker_away_it_gives_way(board):
    board.online = False
    board.hears()
    assert board.done()[-1] == "gave way"


def test_it_takes_the_name_given_to_its_own_password_and_starts_again(board):
    board.hears(own=board.own.hash(), name="shelf-pi")
    assert board.done() == ["restarted"]
    # Had the start not helped, it is not repeated without end.
    board.hears(own=board.own.hash(), name="shelf-pi")
    assert board.done() == ["gave way"]
    assert own_name.take_up(board.config).device == "shelf-pi"


def test_a_name_for_another_password_is_not_taken(board):
    board.hears(own="somebody else's", name="shelf-pi")
    board.hears(own="somebody else's", name="shelf-pi")
    assert board.done() == [board.own.hash(), "gave way"]
    assert own_name.take_up(board.config).device == "desk-pi"


def test_an_agent_on_trial_proves_itself_first(board):
    board.proven = False
    board.hears(own=board.own.hash(), name="shelf-pi")
    assert board.done() == ["gave way"]
    board.proven = True
    board.hears(own=board.own.hash(), name="shelf-pi")
    assert board.done() == ["restarted"]


def test_a_full_disk_leaves_it_with_its_name(board, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    own = board.own.hash()
    monkeypatch.setattr(own_name.durable, "write_file", full)
    board.hears(own=own, name="shelf-pi")
    assert board.done() == ["gave way"]
