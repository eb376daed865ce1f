"""A board whose clock is wrong: expired signatures stay expired, and no clock locks a board out for ever."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from device.errors import UntrustedError
from device.trust import rules
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
        self.generation = 0
        self.cloud_clock(TODAY)
        self.ref = cloud.release(function_files())
        self._folder = folder / "state"

    def cloud_clock(self, now):
        self.cloud.signing._clock = lambda: now
        # Signed anew, so that the image repository is of that day as well.
        self.cloud.signing._publish(self.cloud.signing._with_roles({}))

    def signed(self, now):
        """The next generation, signed on that day."""
        self.generation += 1
        self.cloud_clock(now)
        return self.cloud.desired(self.generation, self.ref)

    def believe(self, document):
        verifier = Verifier(self._folder, "home", "desk-pi", self.cloud.roots, lambda: self.clock.timestamp())
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
    board.believe(board.signed(TODAY))
    expired = board.signed(TODAY - timedelta(days=40))
    board.clock = wrong
    with pytest.raises(UntrustedError, match=r"expired.* it is 2026-06-01"):
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


def test_stolen_director_key_cannot_push_the_floor_up():
    assert rules.risen(10 * DAY, [90_000 * DAY, 11 * DAY], [400 * DAY, 400 * DAY]) == 11 * DAY


def test_both_online_keys_stolen_cannot_push_the_floor_past_a_root():
    assert rules.risen(10 * DAY, [90_000 * DAY, 90_000 * DAY], [400 * DAY, 500 * DAY]) == 400 * DAY


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
