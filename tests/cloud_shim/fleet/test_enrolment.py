"""Who is let in, by what, and what a stranger with a card, or a stolen password, cannot do."""

import pytest

from cloud_shim.database import Database
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.enrolment import MOST_CLAIMS, MOST_REJECTED, TOKEN_LIFETIME, Enrolment
from cloud_shim.fleet.members import LIFETIME, RENEW, Members
from cloud_shim.tables import ClaimRow
from device.enrol.secret import hash_password
from device.errors import NotFoundError, RejectedError
from device.protocol import enrolment, topics
from device.protocol.enrolment import Ask
from device.protocol.errors import ProtocolError
from device.protocol.topics import ENROL_USER, Topic

BOARD = "raspberry-pi/4b"


class Door:
    """An Enrolment with a clock of the test's own, the broker's list of who may connect, and what was answered."""

    fleet = "home"

    def __init__(self, folder):
        self.now = 1_000_000.0
        self.let_in: dict[str, str] = {}
        self.limited: set[str] = set()
        self.sent: list[tuple[str, bytes]] = []
        self.database = Database(f"sqlite:///{folder / 'shim.db'}")
        self.doubt = ""
        times = (lambda: self.now, lambda: self.doubt)
        self.members = Members(self.database, Changes(), self._admit, *times)
        self.enrolment = Enrolment(self.database, self.members, self, *times)

    def send(self, topic, payload, *, qos=1, retain=False):
        self.sent.append((topic, payload))

    def ask(self, name="shelf-pi", hash="", token="", serial="1000", board=BOARD, user=ENROL_USER, client=""):
        """What the shim answers: (state, reason)."""
        hash = hash or hash_password("secret")
        client = client or enrolment.client_id(hash)
        body = Ask(name, board, serial, hash, token).encode()
        self.enrolment.asked(Topic("home", "ask", user, client), body)
        expected = topics.enrolment("home", user, client, "answer")
        answer = next(enrolment.answer(payload) for topic, payload in reversed(self.sent) if topic == expected)
        return answer.state, answer.reason

    def _admit(self, hashes, limited):
        self.let_in, self.limited = dict(hashes), set(limited)


@pytest.fixture
def door(tmp_path):
    return Door(tmp_path)


@pytest.fixture
def hash():
    return hash_password("secret")


def test_a_board_waits_until_somebody_accepts_it_and_its_answer_may_be_lost(door, hash):
    assert door.ask(hash=hash) == ("waiting", "")
    assert door.let_in == {}
    assert door.enrolment.accept("shelf-pi") == "shelf-pi"
    assert door.let_in == {"shelf-pi": hash}
    assert door.ask(hash=hash) == ("accepted", "")
    assert door.enrolment.claims() == []


def test_a_rejected_board_does_not_come_back_as_new_and_can_still_be_accepted(door, hash):
    door.ask(hash=hash)
    assert door.enrolment.reject("shelf-pi") == [enrolment.fingerprint(hash)]
    door.now += 1000
    assert door.ask(hash=hash) == ("rejected", "")
    assert [each["state"] for each in door.enrolment.claims()] == ["rejected"]
    door.enrolment.accept(enrolment.fingerprint(hash))
    assert door.let_in == {"shelf-pi": hash}


def test_a_token_lets_in_one_board_once(door, hash):
    token = door.enrolment.token("shelf-pi", again=False)
    assert door.ask(hash=hash, token=token) == ("accepted", "")
    assert door.ask(hash=hash, token=token) == ("accepted", "")
    state, reason = door.ask(hash=hash_password("thief"), token=token)
    assert state == "refused" and "used before" in reason and enrolment.fingerprint(hash) in reason
    assert door.let_in == {"shelf-pi": hash}
    assert [each["state"] for each in door.enrolment.claims()] == ["refused"]


def test_a_token_is_worth_nothing_for_another_name_or_guessed_or_after_a_month(door):
    token = door.enrolment.token("shelf-pi", again=False)
    assert door.ask(name="attic-pi", token=token)[0] == "refused"
    assert door.ask(token="guessed")[0] == "refused"
    door.now += TOKEN_LIFETIME + 1
    assert door.ask(token=token)[0] == "refused"
    assert door.let_in == {}


def test_a_token_replaces_a_device_only_when_it_was_made_for_that(door, hash):
    early = door.enrolment.token("shelf-pi", again=False)
    door.members.enrol("shelf-pi", BOARD, hash)
    assert door.ask(token=early)[0] == "refused"
    assert door.let_in == {"shelf-pi": hash}
    other = hash_password("other")
    assert door.ask(hash=other, token=door.enrolment.token("shelf-pi", again=True))[0] == "accepted"
    assert door.let_in == {"shelf-pi": other}


def test_a_card_made_for_a_free_name_replaces_nobody_who_took_it_since(door, hash):
    early = door.enrolment.token("shelf-pi", again=True)
    door.members.enrol("shelf-pi", BOARD, hash)
    assert door.ask(hash=hash_password("other"), token=early)[0] == "refused"
    assert door.let_in == {"shelf-pi": hash}


def test_a_revoked_board_does_not_come_back_by_the_token_that_let_it_in(door, hash):
    token = door.enrolment.token("shelf-pi", again=True)
    door.ask(hash=hash, token=token)
    door.enrolment.revoke("shelf-pi")
    assert door.let_in == {}
    assert door.ask(hash=hash, token=token)[0] == "refused"
    assert door.let_in == {}


def _by_another_card(door, hash):
    assert door.ask(hash=hash, token=door.enrolment.token("shelf-pi", again=True))[0] == "accepted"


def _by_hand(door, hash):
    door.ask(hash=hash)
    door.enrolment.accept(enrolment.fingerprint(hash), again=True)


def _by_its_next_password(door, hash):
    door.members.renew("shelf-pi", hash)
    door.members.admit_all()


@pytest.mark.parametrize("replace", [_by_another_card, _by_hand, _by_its_next_password])
def test_a_board_that_was_replaced_does_not_take_its_name_back_with_its_own_token(door, hash, replace):
    token, other = door.enrolment.token("shelf-pi", again=True), hash_password("other")
    assert door.ask(hash=hash, token=token)[0] == "accepted"
    door.now += 60
    replace(door, other)
    assert door.ask(hash=hash, token=token)[0] == "refused"
    assert door.let_in == {"shelf-pi": other}


def test_a_board_whose_letting_in_was_interrupted_is_let_in_when_it_asks_again(door, hash, monkeypatch):
    door.members.enrol("shelf-pi", BOARD, hash_password("old"))
    door.now += 60
    token = door.enrolment.token("shelf-pi", again=True)
    with monkeypatch.context() as cut:
        cut.setattr(door.members, "enrol", _cut)
        with pytest.raises(OSError):
            door.ask(hash=hash, token=token)
    door.now += 60
    assert door.ask(hash=hash, token=token) == ("accepted", "")
    assert door.let_in == {"shelf-pi": hash}


def _cut(*_):
    raise OSError("no space left on device")


def test_two_boards_that_ask_for_one_name_are_both_shown_and_neither_is_let_in_by_it(door, hash):
    other = hash_password("other")
    door.ask(hash=hash, serial="1000")
    door.ask(hash=other, serial="2000")
    with pytest.raises(RejectedError) as refused:
        door.enrolment.accept("shelf-pi")
    for told in ("1000", "2000", BOARD, enrolment.fingerprint(hash), enrolment.fingerprint(other)):
        assert told in str(refused.value)
    assert door.let_in == {}
    door.enrolment.accept(enrolment.fingerprint(other))
    assert door.let_in == {"shelf-pi": other}


def test_a_board_that_asks_for_the_name_of_a_device_does_not_get_it_by_accident(door, hash):
    door.members.enrol("shelf-pi", BOARD, hash)
    other = hash_password("other")
    assert door.ask(hash=other)[0] == "waiting"
    assert door.enrolment.claims()[0]["taken"]
    with pytest.raises(RejectedError, match="already"):
        door.enrolment.accept("shelf-pi")
    assert door.let_in == {"shelf-pi": hash}
    door.enrolment.accept("shelf-pi", again=True)
    assert door.let_in == {"shelf-pi": other}


def test_a_name_that_looks_like_anothers_fingerprint_does_not_get_in_its_way(door, hash):
    door.ask(hash=hash)
    mark = enrolment.fingerprint(hash)
    door.ask(name=mark, hash=hash_password("other"))
    assert door.enrolment.accept(mark) == "shelf-pi"


def test_a_flood_of_boards_is_bounded_and_a_token_gets_past_it(door, hash):
    for number in range(MOST_CLAIMS):
        assert door.ask(name=f"flood-{number}", hash=hash_password(str(number)))[0] == "waiting"
    state, reason = door.ask(name="real-pi", hash=hash)
    assert state == "refused" and "too many" in reason
    assert len(door.enrolment.claims()) == MOST_CLAIMS
    token = door.enrolment.token("real-pi", again=False)
    assert door.ask(name="real-pi", hash=hash, token=token)[0] == "accepted"
    assert len(door.enrolment.reject("")) == MOST_CLAIMS
    assert door.ask(name="next-pi", hash=hash_password("next"))[0] == "waiting"


def test_a_flood_of_rejected_boards_is_bounded(door):
    for start in range(0, MOST_REJECTED + MOST_CLAIMS, MOST_CLAIMS):
        for number in range(start, start + MOST_CLAIMS):
            door.now += 1
            door.ask(name=f"flood-{number}", hash=hash_password(str(number)))
        door.enrolment.reject("")
    assert len(door.enrolment.claims()) == MOST_REJECTED


def test_a_board_that_asks_all_the_time_is_not_written_down_each_time(door, hash):
    door.ask(hash=hash)
    with door.database.read() as session:
        before = session.get_one(ClaimRow, enrolment.client_id(hash)).last
    door.now += 5
    assert door.ask(hash=hash) == ("waiting", "")
    with door.database.read() as session:
        assert session.get_one(ClaimRow, enrolment.client_id(hash)).last == before


def test_a_board_that_waited_and_went_away_is_forgotten(door):
    door.ask(name="gone-pi")
    door.now += 8 * 86400
    assert door.enrolment.claims() == []
    door.ask(name="new-pi", hash=hash_password("new"))
    assert [each["name"] for each in door.enrolment.claims()] == ["new-pi"]


def test_a_board_under_another_ones_client_id_gets_no_answer(door, hash):
    with pytest.raises(ProtocolError, match="client id"):
        door.ask(hash=hash, client="somebody-else")
    assert door.enrolment.claims() == []


def test_a_board_of_a_kind_that_nobody_knows_is_refused_and_shown(door):
    assert door.ask(board="acme/toaster")[0] == "refused"
    assert door.enrolment.claims()[0]["board"] == "acme/toaster"


def test_nobody_to_accept_is_not_found(door):
    for decide in (door.enrolment.accept, door.enrolment.reject):
        with pytest.raises(NotFoundError, match="No board"):
            decide("shelf-pi")


def test_a_password_is_replaced_when_it_is_time_and_not_before(door, hash):
    door.members.enrol("pi", BOARD, hash)
    following = hash_password("next")
    assert door.ask(name="pi", hash=following, user="pi", client="c")[0] == "kept"
    door.now += RENEW
    assert door.ask(name="pi", hash=following, user="pi", client="c")[0] == "accepted"
    assert door.let_in == {"pi": following}
    assert door.ask(name="pi", hash=following, user="pi", client="c")[0] == "accepted"


def test_the_device_hears_of_its_new_password_before_the_broker_ends_its_connection(door, hash):
    door.members.enrol("pi", BOARD, hash)
    door.now += RENEW
    order = []
    door.send = lambda *_, **__: order.append("answer")
    door.members._admit = lambda *_: order.append("broker")
    body = Ask("pi", BOARD, "", hash_password("next")).encode()
    door.enrolment.asked(Topic("home", "ask", "pi", "c"), body)
    assert order == ["answer", "broker"]


def test_a_board_that_was_off_for_a_year_can_do_one_thing_and_is_back_by_it(door, hash):
    door.members.enrol("pi", BOARD, hash)
    door.now += 365 * 86400
    door.members.look()
    assert door.limited == {"pi"} and door.let_in == {"pi": hash}
    following = hash_password("next")
    assert door.ask(name="pi", hash=following, user="pi", client="c")[0] == "accepted"
    assert door.limited == set() and door.let_in == {"pi": following}


def test_a_password_ends_only_at_its_end(door, hash):
    door.members.enrol("pi", BOARD, hash)
    door.now += LIFETIME - 1
    door.members.look()
    assert door.limited == set()


def test_a_device_cannot_ask_for_the_password_of_another(door, hash):
    for name in ("pi", "tv"):
        door.members.enrol(name, BOARD, hash)
    door.now += RENEW
    with pytest.raises(ProtocolError, match="of tv"):
        door.ask(name="tv", hash=hash_password("mine"), user="pi", client="c")
    assert door.let_in["tv"] == hash


def test_a_revoked_device_stays_out_over_a_restart_of_the_shim_and_a_renewal_under_way(door, hash):
    door.members.enrol("pi", BOARD, hash)
    door.now += RENEW
    door.enrolment.revoke("pi")
    door.ask(name="pi", hash=hash_password("next"), user="pi", client="c")
    door.members.admit_all()
    assert door.let_in == {}


def test_a_clock_that_ran_ahead_ends_no_password_and_no_card(door, hash):
    door.ask(hash=hash)
    door.enrolment.accept("shelf-pi")
    token = door.enrolment.token("hall-pi", False)
    true, door.now, door.doubt = door.now, door.now + 3 * LIFETIME, "the clock has leapt"
    door.members.look()
    assert door.limited == set()
    door.enrolment.token("attic-pi", False)
    assert door.ask("hall-pi", hash_password("other"), token) == ("accepted", "")
    door.now, door.doubt = true, ""
    door.members.look()
    assert door.limited == set()


def test_a_password_from_a_time_to_come_is_renewed_at_once(door, hash):
    door.ask(hash=hash)
    door.now += 3 * LIFETIME
    door.enrolment.accept("shelf-pi")
    door.now -= 3 * LIFETIME
    assert door.members.due("shelf-pi")


def test_a_request_noted_by_a_clock_that_ran_ahead_is_noted_again(door, hash):
    door.now += 3 * LIFETIME
    door.ask(hash=hash, token="no token")
    door.now -= 3 * LIFETIME
    assert door.ask(hash=hash)[0] == "waiting"
