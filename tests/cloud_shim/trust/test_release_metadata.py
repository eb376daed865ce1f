"""What the image repository says of releases: which it lists, which patches it keeps, and the list of withdrawals."""

from datetime import timedelta

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Delegations, Targets

from cloud_shim.trust import release_metadata
from device.errors import RejectedError
from device.protocol import withdrawn
from device.protocol.deployment import ArtifactRef, Patch
from device.protocol.withdrawn import MAX_WITHDRAWALS, Withdrawal
from tests.cloud_shim.trust.conftest import START


def ref(version, digest="a", bases=()):
    patches = tuple(Patch("function", "lamp", version, base * 64, "9" * 64, 90, "") for base in bases)
    return ArtifactRef("function", "lamp", version, digest * 64, 1000, "", patches)


def listed(*refs):
    targets = {}
    for each in refs:
        targets = release_metadata.with_release(targets, each)
    return sorted(targets)


@pytest.mark.parametrize(
    "path",
    [
        "functions/lamp/1.tar",
        "models/m/10.tar",
        "layers/x86-64-py311/2.tar",
        "agents/lamplight/3.from-0123456789abcdef.patch",
    ],
)
def test_a_target_is_an_artifact_or_a_patch_of_a_release(path):
    found = release_metadata.TARGET.fullmatch(path)
    assert found and found[1] == path.partition(".")[0]


@pytest.mark.parametrize(
    "path",
    ["functions/lamp/0.tar", "functions/Lamp/1.tar", "secrets/x/1.tar", "functions/../1.tar", "x/functions/a/1.tar"],
)
def test_any_other_path_is_no_target(path):
    assert release_metadata.TARGET.fullmatch(path) is None


def test_a_release_is_listed_with_its_digest_and_its_length():
    target = release_metadata.target(ref(1))
    assert (target.path, target.length, target.hashes) == ("functions/lamp/1.tar", 1000, {"sha256": "a" * 64})
    assert release_metadata.role_of(ref(1)) == "functions-lamp"


def test_the_three_newest_releases_keep_their_patches_and_every_release_its_artifact():
    assert listed(*(ref(version, str(version), "b") for version in (1, 2, 3, 4))) == [
        "functions/lamp/1.tar",
        *(f"functions/lamp/{version}.{end}" for version in (2, 3, 4) for end in ("from-bbbbbbbbbbbbbbbb.patch", "tar")),
    ]


@pytest.mark.parametrize("other", [ref(1, "b"), ref(1, "a", "cd")], ids=["artifact", "patch"])
def test_what_is_listed_never_changes(other):
    targets = release_metadata.with_release({}, ref(1, "a", "c"))
    if other.patches:
        other.patches[0].digest = "8" * 64
    with pytest.raises(RejectedError, match="Release lamp v1 exists with other content"):
        release_metadata.with_release(targets, other)


def test_a_release_may_get_further_patches():
    assert len(listed(ref(1, "a", "c"), ref(1, "a", "d"))) == 3


@pytest.mark.parametrize("role", ["functions-lamp", "layers-x86-64-py311"])
def test_the_key_of_a_name_signs_for_this_name_alone(role):
    top = Targets(delegations=Delegations({}, {}))
    release_metadata.delegate(top, role, "k")
    made = top.delegations.roles[role]
    kind, _, name = role.partition("-")
    assert (made.name, made.keyids, made.threshold, made.terminating) == (role, ["k"], 1, True)
    assert made.is_delegated_path(f"{kind}/{name}/1.tar")
    for other in (f"{kind}/{name}x/1.tar", f"{kind}/x/1.tar", f"models/{name}/1.tar", f"{kind}/{name}/1/2.tar"):
        assert not made.is_delegated_path(other)


def withdrawal(version=3, older=False, lets_run=False, name="lamp", kind="function"):
    return Withdrawal(kind, name, version, older, "it leaks", 1000, lets_run)


def withdrawn_by(*entries):
    top = Targets()
    for each in entries:
        release_metadata.withdraw(top, each)
    return [each.to_json() for each in withdrawn.parse(top.unrecognized_fields["withdrawn"])]


def test_a_list_grows_at_its_end():
    entries = [withdrawal(1), withdrawal(2), withdrawal(name="other")]
    assert withdrawn_by(*entries) == [each.to_json() for each in entries]


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (withdrawal(), withdrawal()),
        (withdrawal(older=True), withdrawal(2)),
        (withdrawal(older=True), withdrawal(2, older=True)),
        (withdrawal(), withdrawal(lets_run=True)),
        (withdrawal(lets_run=True), withdrawal(lets_run=True)),
    ],
)
def test_a_withdrawal_that_says_nothing_new_is_refused(known, new):
    with pytest.raises(RejectedError, match="was withdrawn before") as refused:
        withdrawn_by(known, new)
    assert refused.value.why == "it leaks"


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (withdrawal(), withdrawal(2)),
        (withdrawal(), withdrawal(older=True)),
        (withdrawal(lets_run=True), withdrawal()),
        (withdrawal(older=True), withdrawal(4)),
        (withdrawal(), withdrawal(name="other")),
        (withdrawal(), withdrawal(kind="model")),
    ],
)
def test_a_withdrawal_of_more_releases_or_a_stricter_one_is_added(known, new):
    assert len(withdrawn_by(known, new)) == 2


def test_the_list_has_room_for_so_many_and_no_more():
    top = Targets()
    entries = [withdrawal(version).to_json() for version in range(1, MAX_WITHDRAWALS)]
    top.unrecognized_fields["withdrawn"] = entries
    release_metadata.withdraw(top, withdrawal(MAX_WITHDRAWALS))
    assert len(top.unrecognized_fields["withdrawn"]) == MAX_WITHDRAWALS
    with pytest.raises(RejectedError, match="500 releases were withdrawn"):
        release_metadata.withdraw(top, withdrawal(MAX_WITHDRAWALS + 1))


def test_a_list_that_no_board_could_read_is_never_signed():
    with pytest.raises(ValueError, match="control character"):
        withdrawn_by(Withdrawal("function", "lamp", 1, False, "a\nb", 1, False))


def test_metadata_is_signed_by_each_key_until_the_second_it_expires():
    keys = [CryptoSigner.generate_ed25519() for _ in range(2)]
    expires = START + timedelta(days=1, microseconds=7)
    text = release_metadata.signed_text(Targets(), expires, *keys)
    metadata = release_metadata.parse(text)
    assert metadata.signed.expires == START + timedelta(days=1)
    assert set(metadata.signatures) == {each.public_key.keyid for each in keys}
    for key in keys:
        key.public_key.verify_signature(metadata.signatures[key.public_key.keyid], metadata.signed_bytes)
    assert release_metadata.text_of(metadata) == text
    assert "\n" not in text
    assert release_metadata.successor(text).version == metadata.signed.version + 1
    assert release_metadata.withdrawals(text) == []


def test_metadata_is_fresh_for_less_than_half_of_its_time():
    valid = timedelta(days=2)
    text = release_metadata.signed_text(Targets(), START + valid)
    assert release_metadata.fresh(text, valid, START + timedelta(hours=23, minutes=59))
    assert not release_metadata.fresh(text, valid, START + timedelta(days=1))
