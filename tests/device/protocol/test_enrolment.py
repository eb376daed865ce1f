"""The bodies with which a board asks to be let in, and what may not be in them."""

import json

import pytest

from device.enrol.secret import hash_password
from device.protocol import enrolment, topics
from device.protocol.enrolment import MAX_ASK, Answer, Ask
from device.protocol.errors import ProtocolError
from device.protocol.topics import ENROL_USER

HASH = hash_password("secret")


def body(**changes) -> bytes:
    told = {"name": "pi", "board": "raspberry-pi/4b", "serial": "1000", "hash": HASH, "token": ""}
    return json.dumps({**told, **changes}).encode()


def test_an_ask_and_an_answer_come_back_as_they_were():
    for sent in (
        Ask("pi", "raspberry-pi/4b", "1000", HASH, "token"),
        Ask("pi", "raspberry-pi/4b", "", HASH, "", hash_password("own"), 7),
    ):
        assert vars(enrolment.ask(sent.encode())) == vars(sent)
    for answer in (Answer("refused", "why"), Answer("displaced", "why", "1000/aa", HASH, "shelf-pi")):
        assert vars(enrolment.answer(answer.encode())) == vars(answer)


def test_what_only_a_board_that_is_kept_out_says_and_hears_is_left_out_for_the_others():
    """A shim before 0.2.0 refuses a whole ask for one field that it does not know."""
    assert json.loads(Ask("pi", "b", "1", HASH).encode()).keys() == {"name", "board", "serial", "hash", "token"}
    assert json.loads(Answer("kept").encode()).keys() == {"state", "reason"}


@pytest.mark.parametrize("name", ["", "../x", "a/b", 7, "A" * 9])
def test_a_board_takes_nothing_for_a_name_that_is_none(name):
    with pytest.raises(ProtocolError, match=r"answer\.name"):
        enrolment.answer(json.dumps({"state": "displaced", "reason": "", "name": name}).encode())


@pytest.mark.parametrize(
    "hash",
    [
        HASH + "\n_shim:$7$101$AAAAAAAAAAAAAAAA$" + "A" * 88,
        HASH[:-1] + "\n",
        HASH.replace("$101$", "$2147483647$"),
        HASH.replace("$7$", "$6$"),
        HASH.replace("$101$", "$0101$"),
        HASH[:-1],
        HASH + "=",
        "plain",
        "",
    ],
    ids=["second line", "line end", "costly", "other form", "leading zero", "short", "long", "no hash", "empty"],
)
def test_a_hash_that_would_spoil_the_password_file_or_stall_the_broker_is_refused(hash):
    with pytest.raises(ProtocolError, match="hash"):
        enrolment.ask(body(hash=hash))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "_shim"},
        {"name": "../etc"},
        {"name": "pi\nuser tv"},
        {"serial": "\x1b[2J"},
        {"serial": "x" * 65},
        {"board": "x" * 81},
        {"token": "x" * 65},
        {"serial": 7},
        {"more": "fields"},
    ],
)
def test_what_a_stranger_says_of_itself_is_bounded_and_plain(changes):
    with pytest.raises(ProtocolError):
        enrolment.ask(body(**changes))


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b"{" * 5000, body(serial="x" * MAX_ASK)])
def test_garbage_is_refused(payload):
    with pytest.raises(ProtocolError):
        enrolment.ask(payload)


def test_an_answer_of_no_known_state_is_refused_and_what_later_versions_add_is_not():
    assert enrolment.answer(b'{"state": "kept", "reason": "", "later": 1}').state == "kept"
    with pytest.raises(ProtocolError):
        enrolment.answer(b'{"state": "perhaps"}')


def test_the_topics_are_found_again_and_no_device_can_have_the_name_of_the_askers():
    for user in (ENROL_USER, "pi"):
        topic = topics.enrolment("home", user, "lamplight-home-pi", "ask")
        parsed = topics.parse(topic)
        assert (parsed.kind, parsed.device, parsed.leaf, str(parsed)) == ("ask", user, "lamplight-home-pi", topic)
        assert topics.matches(topics.fleet_filter("home", "ask"), topic)
    for wrong in ("e/_shim/c/ask", "e/pi/a b/ask", "e/pi/c/tell", f"e/pi/{'c' * 200}/ask", "d/_enrol/presence"):
        with pytest.raises(ProtocolError):
            topics.parse(f"lamplight/1/home/{wrong}")


def test_the_fingerprint_does_not_tell_the_client_id():
    assert enrolment.fingerprint(HASH).replace("-", "") not in enrolment.client_id(HASH)


SALT = HASH.split("$")[3]


@pytest.mark.parametrize("character", ["\n", ":", "$", " ", "-", "é"])
def test_a_salt_that_would_spoil_the_password_file_is_refused(character):
    with pytest.raises(ProtocolError, match=r"ask\.hash"):
        enrolment.ask(body(hash=HASH.replace(SALT, character + SALT[1:])))


def test_a_stranger_may_use_the_room_it_has():
    told = {"board": "~" * 80, "serial": " " * 64, "token": "x" * 64}
    assert {key: vars(enrolment.ask(body(**told)))[key] for key in told} == told
    padded = body() + b" " * (MAX_ASK - len(body()))
    assert enrolment.ask(padded).name == "pi"
    with pytest.raises(ProtocolError, match="at most 4096"):
        enrolment.ask(padded + b" ")


@pytest.mark.parametrize("key", ["name", "board", "serial", "hash", "token"])
def test_an_ask_that_leaves_something_out_is_refused_with_its_name(key):
    told = {name: value for name, value in json.loads(body()).items() if name != key}
    with pytest.raises(ProtocolError, match=rf"^ask\.{key}: "):
        enrolment.ask(json.dumps(told).encode())


@pytest.mark.parametrize("state", ["waiting", "accepted", "rejected", "refused", "kept", "displaced"])
def test_every_state_of_an_answer_is_read_with_or_without_a_reason(state):
    bare = {"state": state, "reason": "", "hardware": "", "own": "", "name": ""}
    assert vars(enrolment.answer(json.dumps({"state": state}).encode())) == bare
    assert vars(Answer(state)) == bare
    assert enrolment.answer(Answer(state, "why").encode()).reason == "why"


@pytest.mark.parametrize("fields", [{"state": 5}, {"reason": "why"}, {"state": "kept", "reason": 5}])
def test_an_answer_of_another_form_is_refused(fields):
    with pytest.raises(ProtocolError, match=r"^answer\."):
        enrolment.answer(json.dumps(fields).encode())


def test_codes_and_client_ids_stay_as_boards_in_use_have_them():
    """A board waits under its client id, and a person compares the code, across upgrades of either side."""
    assert enrolment.fingerprint("hash") == "e8c4-8d25-9834"
    assert enrolment.client_id("hash") == "915e11d74fa8f5eba10c8bfed73b6fc2"
    assert enrolment.login_id("pi", "password") == "pi-4bf92bae2c0c38d2"
