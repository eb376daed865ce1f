"""Taking a document apart refuses what is malformed, and nothing it holds is believed for that."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol.errors import ProtocolError
from device.trust import rules
from tests.device.protocol.strategies import values

REPOSITORY = {"root": ["r1", "r2"], "timestamp": "ts", "snapshot": "sn", "targets": "ta"}
GOOD = {
    "format": 1,
    "director": REPOSITORY,
    "image": {**REPOSITORY, "delegated": {"functions-a": "fa"}},
    "deployment": "d",
}


def test_the_parts_are_named_as_a_tuf_client_asks_for_them():
    desired = rules.read(json.dumps(GOOD).encode())
    assert desired.director == {
        "1.root.json": b"r1",
        "2.root.json": b"r2",
        "timestamp.json": b"ts",
        "snapshot.json": b"sn",
        "targets.json": b"ta",
    }
    assert desired.image["functions-a.json"] == b"fa"
    assert desired.deployment == b"d"


def test_a_delegated_role_cannot_stand_in_for_a_top_level_one():
    document = {**GOOD, "image": {**REPOSITORY, "delegated": {"targets": "forged", "1.root": "forged"}}}
    image = rules.read(json.dumps(document).encode()).image
    assert (image["targets.json"], image["1.root.json"]) == (b"ta", b"r1")


parts = st.sampled_from([*GOOD, *REPOSITORY, "delegated"])


@given(
    st.binary(max_size=200) | (values | st.dictionaries(parts, values)).map(lambda value: json.dumps(value).encode())
)
def test_noise_is_refused(payload):
    with pytest.raises(ProtocolError):
        rules.read(payload)
    assert rules.claimed_generation(payload) == 0


@given(key=parts, value=values)
def test_a_part_that_is_something_else_is_refused_or_only_text(key, value):
    for document in ({**GOOD, key: value}, {**GOOD, "image": {**REPOSITORY, key: value}}):
        try:
            desired = rules.read(json.dumps(document).encode())
        except ProtocolError:
            continue
        assert all(isinstance(text, bytes) for text in (*desired.director.values(), *desired.image.values()))


@pytest.mark.parametrize(
    ("now", "lowest"),
    [
        (rules.Signer(2, "b"), 0),
        (rules.Signer(2, "a"), 7),
        (rules.Signer(1, "b"), 7),
        (rules.Signer(1, "a"), 7),
    ],
    ids=["other keys", "a new root with the same keys", "an old root", "the same"],
)
def test_only_a_later_root_with_other_keys_begins_a_new_count(now, lowest):
    assert rules.lowest(7, rules.Signer(1, "a"), now) == lowest


def test_a_count_from_before_signers_were_kept_holds():
    assert rules.lowest(7, rules.NOBODY, rules.Signer(2, "b")) == 7
