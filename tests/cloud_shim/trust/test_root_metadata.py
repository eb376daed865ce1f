"""Roots: the keys they name, the signatures they lack, and the words for a change."""

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from cloud_shim.trust import release_metadata, root_metadata
from cloud_shim.trust.root_metadata import MAX_HOLDERS
from device.errors import RejectedError

KEYS = [CryptoSigner.generate_ed25519() for _ in range(4)]
IDS = [each.public_key.keyid for each in KEYS]


def root(*holders, threshold=1, version=1, online=3):
    made = Root(version, consistent_snapshot=False)
    for number in holders:
        made.add_key(KEYS[number].public_key, "root")
    made.roles["root"].threshold = threshold
    for role in ("targets", "snapshot", "timestamp"):
        made.add_key(KEYS[online].public_key, role)
    return made


def signed(made, *by):
    metadata = Metadata(made)
    for number in by:
        metadata.sign(KEYS[number], append=True)
    return release_metadata.text_of(metadata)


def public(*numbers):
    return [KEYS[number].public_key for number in numbers]


def test_a_key_takes_the_place_of_all_keys_of_a_role_or_of_those_named():
    assert root_metadata.with_key(root(0, 1), ["root"], public(2)[0]).roles["root"].keyids == [IDS[2]]
    some = root_metadata.with_key(root(0, 1), ["root"], public(2)[0], [IDS[0]])
    assert some.roles["root"].keyids == [IDS[1], IDS[2]]
    none = root_metadata.with_key(root(0, 1), ["root"], public(2)[0], [])
    assert none.roles["root"].keyids == [IDS[0], IDS[1], IDS[2]]
    both = root_metadata.with_key(root(0), ["snapshot", "timestamp"], public(2)[0])
    assert [both.roles[role].keyids for role in ("targets", "snapshot", "timestamp")] == [[IDS[3]], [IDS[2]], [IDS[2]]]


@pytest.mark.parametrize("threshold", [1, 2])
def test_the_holders_of_a_root_are_those_named_and_no_other(threshold):
    made = root_metadata.with_holders(root(0), public(1, 2), threshold)
    assert (made.roles["root"].keyids, made.roles["root"].threshold) == ([IDS[1], IDS[2]], threshold)


@pytest.mark.parametrize(("holders", "threshold"), [((1, 2), 0), ((1, 2), 3), ((1, 1), 1), ((), 0), ((), 1)])
def test_holders_that_make_no_root_are_refused(holders, threshold):
    with pytest.raises(RejectedError, match=f"{threshold} of {len(holders)} keys cannot be asked for"):
        root_metadata.with_holders(root(0), public(*holders), threshold)


def test_a_root_has_so_many_holders_and_no_more():
    keys = [CryptoSigner.generate_ed25519().public_key for _ in range(MAX_HOLDERS + 1)]
    assert len(root_metadata.with_holders(root(0), keys[:-1], 1).roles["root"].keyids) == MAX_HOLDERS
    with pytest.raises(RejectedError, match="17 keys"):
        root_metadata.with_holders(root(0), keys, 1)


def test_a_holder_leaves_only_where_enough_stay():
    assert root_metadata.without_key(root(0, 1, 2, threshold=2), IDS[1]).roles["root"].keyids == [IDS[0], IDS[2]]
    for made in (root(0, 1, threshold=2), root(0)):
        with pytest.raises(RejectedError, match="Too few keys"):
            root_metadata.without_key(made, IDS[0])


def test_whether_a_root_has_another_key_for_a_role():
    text = signed(root(0))
    assert root_metadata.names_other(text, "timestamp", IDS[0])
    assert not root_metadata.names_other(text, "timestamp", IDS[3])


@pytest.mark.parametrize(
    ("old", "new", "by", "lacks"),
    [
        (root(0), root(0, version=2), [0], 0),
        (root(0), root(0, version=2), [], 1),
        (root(0), root(0, version=2), [3], 1),
        (root(0), root(1, version=2), [0], 1),
        (root(0), root(1, version=2), [1], 1),
        (root(0), root(1, version=2), [0, 1], 0),
        (root(0, 1, threshold=2), root(2, version=2), [0, 2], 1),
        (root(0, 1, threshold=2), root(2, version=2), [2], 2),
        (root(0), root(0, 1, 2, threshold=3, version=2), [0], 2),
        (root(0, 1, 2), root(0, 1, 2, version=2), [0, 1, 2], 0),
    ],
)
def test_a_root_needs_the_signatures_of_the_old_and_of_the_new_one(old, new, by, lacks):
    assert root_metadata.missing(signed(old), signed(new, *by)) == lacks


def kept(text):
    return set(release_metadata.parse(text).signatures)


def test_good_signatures_of_two_copies_are_joined():
    new = root(0, 1, 2, threshold=2, version=2)
    joined = root_metadata.joined(signed(root(0)), signed(new, 0), signed(new, 1))
    assert kept(joined) == {IDS[0], IDS[1]}
    assert release_metadata.parse(joined).signed == new


def test_signatures_of_another_content_and_of_strangers_are_dropped():
    new, other = root(0, 1, version=2), root(0, 1, 2, version=2)
    assert kept(root_metadata.joined(signed(root(0)), signed(new, 0), signed(other, 1))) == {IDS[0]}
    assert kept(root_metadata.joined(signed(root(0)), signed(new, 0, 2), signed(new))) == {IDS[0]}
    # A holder of the old root alone, and of the new one alone, are no strangers.
    assert kept(root_metadata.joined(signed(root(2)), signed(new, 2, 1), signed(new))) == {IDS[1], IDS[2]}


def test_a_false_signature_does_not_keep_a_true_one_out():
    new = root(0, 1, version=2)
    forged = release_metadata.parse(signed(new, 0))
    forged.signatures[IDS[0]].signature = "00" * 64
    text = release_metadata.text_of(forged)
    assert kept(root_metadata.joined(signed(root(0)), text, signed(new))) == set()
    assert kept(root_metadata.joined(signed(root(0)), text, signed(new, 0))) == {IDS[0]}
    assert kept(root_metadata.joined(signed(root(0)), signed(new, 0), text)) == {IDS[0]}


def test_a_change_is_told_role_by_role():
    lines = root_metadata.description(signed(root(0, 1)), signed(root(1, 2, threshold=2, version=2, online=0)))
    ids = [each[:12] for each in IDS]
    assert lines == [
        f"root: 2 of 2: {ids[1]}, {ids[2]} (new), without {ids[0]}",
        *(f"{role}: 1 of 1: {ids[0]} (new), without {ids[3]}" for role in ("snapshot", "targets", "timestamp")),
    ]
