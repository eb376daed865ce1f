"""Root keys on several machines: what so many of them together can do, and fewer cannot, by any trick."""

import json
import shutil
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.cli.keys.root_keys import RootKeys
from cloud_shim.trust import release_metadata, root_metadata
from cloud_shim.trust.signing import Signing
from device.errors import NotFoundError, RejectedError, UntrustedError, UsageError
from tests.support import every_release


class Machine:
    """One developer's machine, with what it was told of the shim last."""

    def __init__(self, base: Path, signing: Signing) -> None:
        self.base, self.signing = base, signing

    @property
    def releases(self) -> ReleaseKeys:
        return ReleaseKeys(self.base, self.signing.image())

    @property
    def roots(self) -> RootKeys:
        roots = {"image": self.signing.image()["root"][-1], "director": self.signing.director_root()}
        return RootKeys(self.releases.folder, roots)

    def sign(self) -> None:
        for offer in self.roots.sign(self.signing.pending()):
            self.signing.adopt(offer)


@pytest.fixture
def machines(signing, tmp_path):
    """Three; the first has taken the keys."""
    made = [Machine(tmp_path / name, signing) for name in ("anna", "ben", "carla")]
    signing.adopt(made[0].releases.take(signing.image(), every_release(signing.image())))
    signing.adopt(made[0].roots.take_director())
    return made


@pytest.fixture
def two_of_three(signing, machines):
    for offer in machines[0].roots.holders([each.roots.request() for each in machines[1:]], 2):
        signing.adopt(offer)
    machines[1].sign()
    assert signing.pending() == {}
    return machines


def root(signing, repository="image"):
    text = signing.image()["root"][-1] if repository == "image" else signing.director_root()
    return root_metadata.root_of(text)


def test_taken_root_keys_leave_the_shim(machines, signing, tmp_path):
    assert signing.held() == ["director-online", "image-online"]
    assert {path.stem for path in (tmp_path / "shim" / "keys").iterdir()} == {"director-online", "image-online"}
    assert machines[0].roots.owns("director") and machines[0].roots.owns("image")


def test_a_thief_of_the_shims_folder_cannot_name_another_director_key(machines, signing, tmp_path):
    shutil.copytree(tmp_path / "shim", tmp_path / "stolen")
    thief = Signing(tmp_path / "stolen")
    offer = Machine(tmp_path / "thief", thief).roots.with_online("director-online", thief.next_key("director-online"))
    with pytest.raises(UntrustedError, match="none of the keys"):
        thief.adopt(offer)


def test_several_holders_come_into_force_when_enough_of_the_new_ones_have_signed(machines, signing):
    for offer in machines[0].roots.holders([each.roots.request() for each in machines[1:]], 2):
        signing.adopt(offer)
    assert {name: each["lacks"] for name, each in signing.pending().items()} == {"image": 1, "director": 1}
    assert root(signing).roles["root"].threshold == 1
    machines[2].sign()
    assert signing.pending() == {}
    for repository in ("image", "director"):
        assert (
            root(signing, repository).roles["root"].threshold,
            len(root(signing, repository).roles["root"].keyids),
        ) == (2, 3)


def test_one_stolen_root_key_of_three_changes_nothing(two_of_three, signing):
    thief = two_of_three[2].roots
    before = signing.roots()
    for offer in thief.holders([], 1):
        signing.adopt(offer)
    assert signing.roots() == before
    assert {each["lacks"] for each in signing.pending().values()} == {1}


def test_the_same_signature_twice_counts_once(two_of_three, signing):
    before = signing.roots()
    for offer in two_of_three[0].roots.holders([], 1):
        signing.adopt(offer)
        signing.adopt(offer)
    assert signing.roots() == before


def test_one_key_under_two_names_counts_once(two_of_three, signing):
    """TUF's threshold counts keys: the same public key may not stand in the list under two ids."""
    request = two_of_three[1].roots.request()
    with pytest.raises(RejectedError, match="each key once"):
        two_of_three[0].roots.holders([request, request], 2)


def test_a_strangers_signature_is_not_kept(two_of_three, signing):
    (offer,) = [each for each in two_of_three[0].roots.holders([], 1) if "root" in each]
    metadata = release_metadata.parse(offer["root"])
    metadata.sign(CryptoSigner.generate_ed25519(), append=True)
    signing.adopt({"root": release_metadata.text_of(metadata)})
    assert len(release_metadata.parse(signing.pending()["image"]["root"]).signatures) == 1


def test_a_false_signature_under_a_holders_name_does_not_keep_the_true_one_out(two_of_three, signing):
    (offer,) = [each for each in two_of_three[0].roots.holders([], 1) if "root" in each]
    other = two_of_three[1].roots.ids()["image-root"]
    forged = json.loads(offer["root"])
    forged["signatures"].append({"keyid": other, "sig": "00" * 64})
    signing.adopt({"root": json.dumps(forged)})
    two_of_three[1].sign()
    assert root(signing).roles["root"].threshold == 1


def test_a_revoked_machine_changes_nothing_any_more(two_of_three, signing):
    gone = two_of_three[2].roots.ids()["image-root"]
    signing.adopt(two_of_three[0].roots.revoke(gone[:10]))
    two_of_three[1].sign()
    assert gone not in root(signing).roles["root"].keyids
    with pytest.raises(RejectedError, match="cannot change"):
        two_of_three[2].roots.revoke(two_of_three[0].roots.ids()["image-root"])


def test_revoking_so_many_that_too_few_are_left_is_refused(two_of_three, signing):
    signing.adopt(two_of_three[0].roots.revoke(two_of_three[2].roots.ids()["image-root"]))
    two_of_three[1].sign()
    with pytest.raises(RejectedError, match="Too few"):
        two_of_three[0].roots.revoke(two_of_three[1].roots.ids()["image-root"])


@pytest.mark.parametrize("prefix", ["", "zz", "0123456789abcdef" * 4])
def test_revoking_what_is_no_root_key_is_not_found(two_of_three, prefix):
    with pytest.raises(NotFoundError):
        two_of_three[0].roots.revoke(prefix)


def test_a_rotation_waits_for_the_others_and_then_leaves_their_keys(two_of_three, signing):
    before = two_of_three[0].releases.ids()
    signing.adopt(two_of_three[0].releases.rotate(signing.image()))
    assert two_of_three[0].releases.ids() == before, "not in force yet"
    two_of_three[1].sign()
    after = two_of_three[0].releases.ids()
    assert not set(before.values()) & set(after.values())
    assert two_of_three[1].roots.owns("image") and two_of_three[0].roots.owns("image")
    assert root(signing).roles["root"].threshold == 2


@pytest.mark.parametrize("threshold", [0, 4])
def test_a_threshold_that_cannot_be_met_is_refused(machines, threshold):
    with pytest.raises(RejectedError, match="cannot be asked for"):
        machines[0].roots.holders([each.roots.request() for each in machines[1:]], threshold)


def test_a_request_of_another_fleet_is_refused(machines, tmp_path):
    other = Signing(tmp_path / "other")
    with pytest.raises(UsageError, match="another fleet"):
        machines[0].roots.holders([Machine(tmp_path / "dora", other).roots.request()], 1)


@pytest.mark.parametrize("broken", [{"id": "x"}, {"id": "x", "key": {}}, {"id": 1, "key": 2}, {}])
def test_a_request_without_a_key_is_refused(machines, broken):
    request = {**machines[1].roots.request(), "image": broken}
    with pytest.raises(UsageError, match="no public key"):
        machines[0].roots.holders([request], 1)


def test_what_a_person_signs_is_described_by_the_root_itself(two_of_three, signing):
    for offer in two_of_three[0].roots.holders([], 1):
        signing.adopt(offer)
    text = signing.pending()["image"]["root"]
    lines = root_metadata.description(signing.image()["root"][-1], text)
    anna, ben, carla = (each.roots.ids()["image-root"][:12] for each in two_of_three)
    assert f"root: 1 of 1: {anna}, without {ben}, without {carla}" in lines


@pytest.mark.parametrize("name", ["image-online", "director-online"])
def test_an_online_key_is_replaced_with_the_root_keys_of_a_machine(machines, signing, name, tmp_path):
    old = signing._keys[name].public_key.keyid
    signing.adopt(machines[0].roots.with_online(name, signing.next_key(name)))
    repository = name.partition("-")[0]
    assert old not in root(signing, repository).roles["timestamp"].keyids
    again = Signing(tmp_path / "shim")
    assert again._keys[name].public_key.keyid in root(again, repository).roles["timestamp"].keyids
    assert not (tmp_path / "shim" / "keys" / f"{name}-next.pem").exists()


def test_a_crash_while_an_online_key_is_replaced_is_finished_by_the_next_start(
    machines, signing, tmp_path, monkeypatch
):
    old = signing._keys["image-online"].public_key.keyid
    offer = machines[0].roots.with_online("image-online", signing.next_key("image-online"))

    def crash(*_):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("cloud_shim.trust.shim_keys.key_files.replace", crash)
        signing.adopt(offer)
    again = Signing(tmp_path / "shim")
    assert old not in root(again).roles["timestamp"].keyids
    assert again._keys["image-online"].public_key.keyid in root(again).roles["timestamp"].keyids


def test_a_root_with_an_online_key_that_the_shim_does_not_have_is_refused(machines, signing):
    stranger = CryptoSigner.generate_ed25519().public_key
    offer = machines[0].roots.with_online("image-online", {"id": stranger.keyid, "key": stranger.to_dict()})
    with pytest.raises(UntrustedError, match="other online keys"):
        signing.adopt(offer)
