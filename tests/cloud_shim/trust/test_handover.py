"""Metadata signed elsewhere: what the shim adopts, and every way in which an offer takes something back."""

import json

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Targets

from cloud_shim.trust import handover, release_metadata, root_metadata
from cloud_shim.trust.signing import Signing
from device.errors import RejectedError, UntrustedError
from device.protocol.deployment import ArtifactRef
from device.protocol.withdrawn import Withdrawal
from tests.cloud_shim.trust.conftest import START
from tests.cloud_shim.trust.test_root_metadata import IDS, KEYS, kept, root, signed

LATER = START + release_metadata.RELEASES
ROLE = "functions-lamp"


class Machine:
    """The keys of a shim, used as a developer's machine would."""

    def __init__(self, signing: Signing) -> None:
        self.image = signing.image()
        self.keys = signing._keys

    def lists(self, targets, version=None):
        """The role of lamp with these targets, as the next version or as this one."""
        made = release_metadata.successor(self.image["delegated"][ROLE])
        made.targets, made.version = targets, version or made.version
        return release_metadata.signed_text(made, LATER, self.keys["image-releases"])

    def top(self, change=lambda top: None):
        made = release_metadata.successor(self.image["targets"])
        change(made)
        return release_metadata.signed_text(made, LATER, self.keys["image-targets"])


@pytest.fixture
def machine(signing):
    signing.withdraw(Withdrawal("function", "other", 1, False, "it leaks", 1))
    return Machine(signing)


def target(version, digest="a"):
    ref = ArtifactRef("function", "lamp", version, digest * 64, 1000, "")
    return {ref.target: release_metadata.target(ref)}


def test_a_further_release_is_adopted_and_all_else_stays(machine):
    offer = {"delegated": {ROLE: machine.lists({**target(1), **target(2, "b")})}}
    new = handover.merged(machine.image, offer)
    assert new == {**machine.image, "delegated": {**machine.image["delegated"], **offer["delegated"]}}


def test_an_offer_of_nothing_changes_nothing(machine):
    assert handover.merged(machine.image, {}) == machine.image
    assert handover.merged(machine.image, {"root": "", "delegated": {}}) == machine.image


@pytest.mark.parametrize("targets", [{}, target(2), target(1, "b")], ids=["vanished", "another", "changed"])
def test_a_release_never_vanishes_or_changes(machine, targets):
    with pytest.raises(RejectedError, match=r"functions/lamp/1\.tar would vanish or change"):
        handover.merged(machine.image, {"delegated": {ROLE: machine.lists(targets)}})


def withdraw_lamp(top):
    release_metadata.withdraw(top, Withdrawal("function", "lamp", 1, False, "it burns", 2))


@pytest.mark.parametrize("back", [0, 1])
def test_a_top_role_that_changes_has_a_higher_version(machine, back):
    version = release_metadata.parse(machine.image["targets"]).signed.version - back

    def change(top):
        withdraw_lamp(top)
        top.version = version

    with pytest.raises(UntrustedError, match=f"The offered targets is version {version}"):
        handover.merged(machine.image, {"targets": machine.top(change)})


def test_a_list_of_releases_that_changes_has_a_higher_version(machine):
    with pytest.raises(UntrustedError, match="The offered functions-lamp is version 1"):
        handover.merged(machine.image, {"delegated": {ROLE: machine.lists({**target(1), **target(2)}, version=1)}})


def test_a_withdrawal_never_vanishes_and_further_ones_are_adopted(machine):
    new = handover.merged(machine.image, {"targets": machine.top(withdraw_lamp)})
    assert [each.name for each in release_metadata.withdrawals(new["targets"])] == ["other", "lamp"]
    with pytest.raises(RejectedError, match="A withdrawal would vanish or change"):
        handover.merged(machine.image, {"targets": machine.top(lambda top: top.unrecognized_fields.clear())})


def with_new_keys(machine, targets):
    """An offer under other keys for targets and releases, with these targets of lamp and no withdrawal."""
    key = CryptoSigner.generate_ed25519()
    made = release_metadata.successor(machine.image["root"][-1])
    root_metadata.with_key(made, ["targets"], key.public_key)
    top = release_metadata.successor(machine.image["targets"])
    top.unrecognized_fields.clear()
    lamp = release_metadata.successor(machine.image["delegated"][ROLE])
    lamp.targets = targets
    return {
        "root": release_metadata.signed_text(made, LATER, machine.keys["image-root"]),
        "targets": release_metadata.signed_text(top, LATER, key),
        "delegated": {ROLE: release_metadata.signed_text(lamp, LATER, machine.keys["image-releases"])},
    }


def test_new_keys_may_drop_what_a_thief_of_the_old_ones_planted(machine):
    new = handover.merged(machine.image, with_new_keys(machine, target(2, "b")))
    assert release_metadata.withdrawals(new["targets"]) == []
    assert list(release_metadata.parse(new["delegated"][ROLE]).signed.targets) == ["functions/lamp/2.tar"]
    assert len(new["root"]) == len(machine.image["root"]) + 1


@pytest.mark.parametrize(
    "offer",
    [
        {"targets": "{"},
        {"targets": "[]"},
        {"delegated": []},
        {"delegated": {ROLE: 5}},
        {"delegated": {"functions-stranger": "{}"}},
        {"snapshot": "{}"},
    ],
    ids=str,
)
def test_an_offer_of_another_form_is_refused(machine, offer):
    with pytest.raises((UntrustedError, ValueError)):
        handover.merged(machine.image, offer)


def test_what_other_keys_signed_is_refused(machine):
    for name in ("image-online", "image-targets"):
        lamp = release_metadata.signed_text(
            release_metadata.successor(machine.image["delegated"][ROLE]), LATER, machine.keys[name]
        )
        with pytest.raises(UntrustedError, match="does not hold"):
            handover.merged(machine.image, {"delegated": {ROLE: lamp}})
    top = release_metadata.signed_text(
        release_metadata.successor(machine.image["targets"]), LATER, machine.keys["image-releases"]
    )
    with pytest.raises(UntrustedError, match="does not hold"):
        handover.merged(machine.image, {"targets": top})


def test_metadata_of_another_kind_is_no_list_of_releases(machine):
    with pytest.raises(UntrustedError, match="another kind"):
        handover.merged(machine.image, {"delegated": {ROLE: machine.image["snapshot"]}})


PRESENT = signed(root(0), 0)
ONLINE = {IDS[3]}


def test_the_next_root_keeps_its_good_signatures_and_gets_the_shims():
    offered = signed(root(0, 1, version=2), 1)
    assert kept(handover.next_root(PRESENT, offered, ONLINE, KEYS[0])) == {IDS[0], IDS[1]}
    assert kept(handover.next_root(PRESENT, signed(root(0, 1, version=2), 0, 2), ONLINE, None)) == {IDS[0]}


def test_the_shim_signs_no_root_with_a_key_that_is_no_holders():
    with pytest.raises(UntrustedError) as refused:
        handover.next_root(PRESENT, signed(root(1, 2, version=2), 1), ONLINE, KEYS[2])
    assert "none of the keys" in refused.value.why


@pytest.mark.parametrize("version", [1, 3])
def test_a_root_follows_the_present_one(version):
    with pytest.raises(UntrustedError, match="does not follow"):
        handover.next_root(PRESENT, signed(root(0, version=version), 0), ONLINE, None)


def test_other_metadata_in_the_place_of_a_root_is_refused():
    with pytest.raises(UntrustedError, match="does not follow"):
        handover.next_root(PRESENT, signed(Targets(2), 0), ONLINE, None)
    with pytest.raises(UntrustedError, match="does not hold"):
        handover.next_root(PRESENT, "{", ONLINE, None)


def two_keys(made):
    made.add_key(KEYS[2].public_key, "timestamp")
    return made


def two_of_two(made):
    two_keys(made).roles["timestamp"].threshold = 2
    return made


@pytest.mark.parametrize(
    "made",
    [root(0, version=2, online=2), two_keys(root(0, version=2)), two_of_two(root(0, version=2))],
    ids=["another's", "a second one", "both needed"],
)
def test_a_root_with_online_keys_that_are_not_the_shims_is_refused(made):
    with pytest.raises(UntrustedError, match="names other online keys"):
        handover.next_root(PRESENT, signed(made, 0), ONLINE, None)
    made = root(0, version=2)
    made.roles["timestamp"].threshold = 2
    with pytest.raises(UntrustedError, match="names other online keys"):
        handover.next_root(PRESENT, signed(made, 0), ONLINE, None)


def test_the_image_is_left_as_it_was_by_every_offer(machine):
    before = json.dumps(machine.image)
    handover.merged(machine.image, {"delegated": {ROLE: machine.lists({**target(1), **target(2)})}})
    assert json.dumps(machine.image) == before
