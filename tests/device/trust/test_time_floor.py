"""A board whose clock is wrong: expired signatures stay expired, and no clock locks a board out for ever."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from device.errors import UntrustedError
from device.trust import floor
from device.trust.floor import Clock, Known, Role
from device.trust.verifier import Verifier
from tests.device.harness import function_files

pytestmark = pytest.mark.usefixtures("verified_here")

TODAY = datetime(2026, 6, 1, tzinfo=UTC)
DAY = 86_400


@pytest.fixture
def board(tmp_path, cloud):
    return Board(tmp_path, cloud)


class Board:
    """A verifier whose clock is set by hand; the cloud's clock is right until it is set too."""

    def __init__(self, folder, cloud):
        (folder / "state").mkdir()
        self.cloud, self.clock, self.trusted = cloud, TODAY, folder / "state" / "trusted.json"
        self.generation, self.synchronised = 0, False
        self.cloud_clock(TODAY)
        self.ref = cloud.release(function_files())
        self._folder = folder / "state"

    def cloud_clock(self, now):
        self.cloud.signing.clock._clock = lambda: now
        # The shim itself would refuse to sign after such a leap: here a person insisted.
        self.cloud.signing.clock.confirm()
        # Signed anew, so that the image repository is of that day as well.
        self.cloud.signing._publish(self.cloud.signing._with_roles({}))

    def signed(self, now):
        """The next generation, signed on that day."""
        self.generation += 1
        self.cloud_clock(now)
        return self.cloud.desired(self.generation, self.ref)

    def believe(self, document):
        clock = (lambda: self.clock.timestamp(), lambda: self.synchronised)
        verifier = Verifier(self._folder, "home", "desk-pi", self.cloud.roots, *clock)
        return verifier.believe(document, 0).generation

    @property
    def floor(self):
        return datetime.fromtimestamp(json.loads(json.loads(self.trusted.read_bytes())["time.json"]), UTC)


def test_freeze_ends_when_the_signatures_do(board):
    document = board.signed(TODAY)
    assert board.believe(document) == 1
    board.clock = TODAY + timedelta(days=31)
    with pytest.raises(UntrustedError, match="expired"):
        board.believe(document)


def test_a_clock_at_1970_learns_the_time_from_the_first_deployment(board):
    board.clock = datetime.fromtimestamp(0, UTC)
    assert board.believe(board.signed(TODAY)) == 1
    assert board.floor == TODAY


@pytest.mark.parametrize(
    "wrong", [datetime.fromtimestamp(0, UTC), TODAY - timedelta(days=60)], ids=["1970", "set back"]
)
def test_a_clock_at_1970_or_set_back_revives_nothing_expired(board, wrong):
    expired = board.signed(TODAY - timedelta(days=40))
    board.believe(board.signed(TODAY))
    board.clock = wrong
    with pytest.raises(UntrustedError):
        board.believe(expired)
    assert board.believe(board.signed(TODAY + timedelta(days=1))) == 3


def test_a_clock_set_back_does_not_take_the_floor_back(board):
    board.clock = TODAY + timedelta(days=10)
    board.believe(board.signed(TODAY))
    assert board.floor == TODAY + timedelta(days=10)
    board.clock = TODAY
    board.believe(board.signed(TODAY))
    assert board.floor == TODAY + timedelta(days=10)


def test_a_clock_far_ahead_moves_no_floor(board):
    board.believe(board.signed(TODAY))
    document = board.signed(TODAY)
    board.clock = TODAY + timedelta(days=20_000)
    with pytest.raises(UntrustedError, match="expired"):
        board.believe(document)
    board.clock = TODAY
    assert (board.believe(document), board.floor) == (2, TODAY)


def test_a_refused_document_moves_no_floor(board):
    board.believe(board.signed(TODAY))
    board.clock = TODAY + timedelta(days=5)
    with pytest.raises(UntrustedError):
        board.believe(board.signed(TODAY).replace(b"desk-pi", b"hall-pi"))
    assert board.floor == TODAY


AHEAD = [timedelta(days=40), timedelta(days=3 * 365)]


@pytest.mark.parametrize("ahead", AHEAD, ids=["40 days", "3 years"])
@pytest.mark.parametrize("clock", [TODAY, datetime.fromtimestamp(0, UTC)], ids=["set by hand", "1970"])
def test_a_board_without_time_servers_survives_a_shim_whose_clock_ran_ahead(board, ahead, clock):
    board.clock = clock
    board.believe(board.signed(TODAY))
    board.believe(board.signed(TODAY + ahead))
    assert board.believe(board.signed(TODAY + timedelta(minutes=1))) == 3
    assert board.floor == TODAY + timedelta(minutes=1)


@pytest.mark.parametrize("ahead", AHEAD, ids=["40 days", "3 years"])
def test_a_synchronised_board_survives_a_shim_whose_clock_ran_ahead(board, ahead):
    board.synchronised = True
    board.believe(board.signed(TODAY + ahead))
    assert board.floor == TODAY + timedelta(days=1)
    assert board.believe(board.signed(TODAY)) == 2


@pytest.mark.parametrize("ahead", AHEAD, ids=["40 days", "3 years"])
@pytest.mark.parametrize("synchronised", [True, False])
def test_a_floor_raised_by_an_older_agent_is_taken_back_by_the_next_document(board, ahead, synchronised):
    board.believe(board.signed(TODAY + ahead))
    trusted = json.loads(board.trusted.read_bytes())
    del trusted["proved.json"]
    board.trusted.write_text(json.dumps({**trusted, "time.json": json.dumps((TODAY + ahead).timestamp())}))
    board.synchronised = synchronised
    assert board.believe(board.signed(TODAY)) == 2
    assert board.floor == TODAY


def test_board_and_shim_on_one_machine_whose_clock_ran_ahead_recover_together(board):
    board.synchronised, board.clock = True, TODAY + timedelta(days=40)
    board.believe(board.signed(TODAY + timedelta(days=40)))
    board.clock = TODAY
    assert board.believe(board.signed(TODAY)) == 2
    assert board.floor == TODAY


@pytest.mark.parametrize("synchronised", [True, False])
def test_freeze_with_the_clock_set_back_revives_no_document_kept_back(board, synchronised):
    kept_back = [board.signed(TODAY - timedelta(days=days)) for days in (400, 200, 40)]
    board.believe(board.signed(TODAY))
    board.clock, board.synchronised = TODAY - timedelta(days=400), synchronised
    for each in kept_back:
        with pytest.raises(UntrustedError):
            board.believe(each)
    assert board.floor == TODAY


def test_freeze_the_newest_document_for_ever_with_a_time_server_of_the_attackers(board):
    document = board.signed(TODAY)
    board.believe(document)
    trusted = json.loads(board.trusted.read_bytes())
    trusted["time.json"] = json.dumps((TODAY + timedelta(days=40)).timestamp())
    board.trusted.write_text(json.dumps(trusted))
    board.synchronised = True
    with pytest.raises(UntrustedError, match=r"expired.* it is 2026-07-11"):
        board.believe(document)


def test_a_board_that_saw_the_time_on_its_own_synchronised_clock_is_not_talked_back_without_it(board):
    board.synchronised, board.clock = True, TODAY + timedelta(days=40)
    board.believe(board.signed(TODAY + timedelta(days=40)))
    board.synchronised, board.clock = False, datetime.fromtimestamp(0, UTC)
    with pytest.raises(UntrustedError, match="expired"):
        board.believe(board.signed(TODAY))


def test_both_online_keys_stolen_revive_no_offline_signature():
    newer = [Role(9, 8, 10 * DAY)]
    assert floor.goes_back(400 * DAY, newer)
    assert not floor.goes_back(400 * DAY, [*newer, Role(3, 3, 365 * DAY)])
    assert floor.goes_back(400 * DAY, [*newer, Role(4, 3, 365 * DAY), Role(1, 1, 900 * DAY)])


def test_stolen_director_key_cannot_push_the_floor_up():
    assert _floor([90_000 * DAY, 11 * DAY], [400 * DAY, 400 * DAY]) == 11 * DAY


def test_both_online_keys_stolen_cannot_push_the_floor_past_an_offline_signature():
    assert _floor([90_000 * DAY, 90_000 * DAY], [400 * DAY, 500 * DAY]) == 400 * DAY


def test_both_online_keys_stolen_cannot_push_the_floor_of_a_synchronised_board():
    assert _floor([90_000 * DAY, 90_000 * DAY], [400 * DAY, 500 * DAY], synchronised=True) == 11 * DAY


def test_a_synchronised_clock_set_back_proves_nothing_away():
    known = Known(20 * DAY, 19 * DAY)
    assert floor.risen(Clock(5 * DAY, True), known, 20 * DAY, [5 * DAY], [400 * DAY]) == known


def _floor(issued, ends, synchronised=False):
    return floor.risen(Clock(10 * DAY, synchronised), Known(), 10 * DAY, issued, ends).floor


def _renamed(trusted):
    trusted["dirfctor/timestamp.json"] = trusted.pop("director/timestamp.json")


@pytest.mark.parametrize(
    "damage",
    [
        lambda trusted: trusted.update({"time.json": "17a0"}),
        lambda trusted: trusted.update({"time.json": "1e980"}),
        lambda trusted: trusted.update({"time.json": "[]"}),
        lambda trusted: trusted.update({"director/timestamp.json": "{"}),
        lambda trusted: trusted.update({"image/root_history/1.root.json": 7}),
        _renamed,
    ],
    ids=["no number", "no time", "a list", "cut metadata", "no text", "a name"],
)
def test_a_bit_that_the_card_lost_in_what_is_trusted_locks_no_board_out(board, damage):
    board.believe(board.signed(TODAY))
    trusted = json.loads(board.trusted.read_bytes())
    damage(trusted)
    board.trusted.write_text(json.dumps(trusted))
    assert board.believe(board.signed(TODAY)) == 2


def test_what_is_trusted_being_no_table_locks_no_board_out(board):
    board.believe(board.signed(TODAY))
    board.trusted.write_text("[]")
    assert board.believe(board.signed(TODAY)) == 2
