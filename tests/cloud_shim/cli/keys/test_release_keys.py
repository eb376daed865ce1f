"""The release keys on a developer's machine: what they take over, what they sign, and what they refuse to sign."""

import json
import shutil
from datetime import timedelta

import pytest

from cloud_shim.cli.keys.release_keys import NAMES, ReleaseKeys
from cloud_shim.trust import release_metadata
from cloud_shim.trust.shim_keys import ShimKeys
from cloud_shim.trust.signing import Signing
from device import durable
from device.errors import RejectedError, UntrustedError
from device.protocol.deployment import ArtifactRef
from tests.support import every_release


def ref(version=1, name="lamp", digest="a" * 64):
    return ArtifactRef("function", name, version, digest, 1000, "")


@pytest.fixture
def keys(tmp_path, signing):
    return ReleaseKeys(tmp_path / "keys", signing.image())


@pytest.fixture
def taken(signing, keys):
    signing.adopt(keys.take(signing.image(), every_release(signing.image())))
    return signing


def private(tmp_path):
    return {path.stem for path in (tmp_path / "shim" / "keys").iterdir()}


def test_the_shim_loses_the_keys_that_are_taken(taken, keys, tmp_path):
    assert keys.owns(taken.image())
    assert private(tmp_path) == set(taken.held()) == {"director-online", "director-root", "image-online"}
    assert {path.stat().st_mode & 0o777 for path in keys.folder.iterdir()} == {0o600}
    assert {path.stem for path in keys.folder.iterdir()} == set(NAMES)


def test_a_release_signed_here_is_deployable_and_what_was_released_before_stays(taken, keys):
    taken.adopt(keys.release(taken.image(), ref(2, digest="b" * 64)))
    taken.adopt(keys.release(taken.image(), ref(1, "fan", "c" * 64)))
    assert all(taken.lists(each) for each in (ref(), ref(2, digest="b" * 64), ref(1, "fan", "c" * 64)))


def test_the_shim_itself_can_release_nothing_after_a_restart_either(taken, tmp_path):
    for signing in (taken, Signing(tmp_path / "shim")):
        with pytest.raises(RejectedError, match="cannot sign a release"):
            signing.release("function", "lamp", 2, "b" * 64, 1000)
        signing.release("function", "lamp", 1, "a" * 64, 1000)


def test_crash_before_the_old_keys_are_deleted_is_finished_by_the_next_start(signing, keys, tmp_path, monkeypatch):
    def crash(*_):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(ShimKeys, "settle", crash)
        signing.adopt(keys.take(signing.image(), every_release(signing.image())))
    assert private(tmp_path) > set(NAMES)
    again = Signing(tmp_path / "shim")
    assert not private(tmp_path) & set(NAMES)
    assert keys.owns(again.image())


def test_crash_before_the_offer_arrives_is_finished_by_taking_again(signing, keys):
    keys.take(signing.image(), every_release(signing.image()))
    assert not keys.owns(signing.image())
    signing.adopt(keys.take(signing.image(), every_release(signing.image())))
    assert keys.owns(signing.image())


def test_a_second_machine_cannot_take_what_was_taken(taken, tmp_path):
    other = ReleaseKeys(tmp_path / "other", taken.image())
    with pytest.raises(UntrustedError, match="does not hold"):
        taken.adopt(other.take(taken.image(), every_release(taken.image())))


def test_a_machine_without_the_keys_signs_nothing(taken, tmp_path):
    with pytest.raises(RejectedError, match="This machine cannot sign"):
        ReleaseKeys(tmp_path / "other", taken.image()).release(taken.image(), ref(2))


def test_shim_that_shows_an_older_list_drops_no_release_from_what_is_signed_next(taken, keys):
    old = dict(taken.image())
    taken.adopt(keys.release(old, ref(2, digest="b" * 64)))
    offer = keys.release(old, ref(3, digest="c" * 64))
    listed = release_metadata.parse(offer["delegated"]["functions-lamp"]).signed
    assert list(listed.targets) == [f"functions/lamp/{version}.tar" for version in (1, 2, 3)]
    assert listed.version > release_metadata.parse(taken.image()["delegated"]["functions-lamp"]).signed.version
    taken.adopt(offer)


def test_upload_that_was_interrupted_is_offered_again(taken, keys):
    lost = keys.release(taken.image(), ref(2, digest="b" * 64))
    assert keys.release(taken.image(), ref(2, digest="b" * 64)) == lost


def test_shim_that_shows_a_list_under_another_key_gets_nothing_signed_on_top(taken, keys, tmp_path):
    stranger = Signing(tmp_path / "stranger")
    stranger.release("function", "lamp", 1, "e" * 64, 1000)
    forged = {**taken.image(), "delegated": stranger.image()["delegated"]}
    with pytest.raises(UntrustedError, match="did not sign"):
        keys.release(forged, ref(2))


def test_release_under_a_number_that_other_bytes_have_is_refused(taken, keys):
    with pytest.raises(RejectedError, match="exists with other content"):
        keys.release(taken.image(), ref(1, digest="f" * 64))


def test_two_lists_of_one_version_are_refused(taken, keys):
    old = dict(taken.image())
    keys.release(old, ref(2, digest="b" * 64))
    kept = json.loads((keys.folder / "signed.json").read_bytes())
    (keys.folder / "signed.json").unlink()
    taken.adopt(keys.release(old, ref(2, digest="c" * 64)))
    (keys.folder / "signed.json").write_text(json.dumps(kept))
    with pytest.raises(UntrustedError, match="another functions-lamp version 3"):
        keys.release(taken.image(), ref(3, digest="d" * 64))


@pytest.mark.parametrize("role", ["targets", "functions-lamp"])
def test_offer_below_what_the_shim_has_is_refused(taken, keys, role):
    old = dict(taken.image())
    taken.adopt(keys.renew(old))
    before = taken.image()
    offer = {"targets": old["targets"]} if role == "targets" else {"delegated": {role: old["delegated"][role]}}
    with pytest.raises(UntrustedError, match="the shim has"):
        taken.adopt(offer)
    assert taken.image() == before


def test_what_is_renewed_lasts_another_year(taken, tmp_path):
    later = release_metadata.utc_now() + timedelta(days=300)
    taken.adopt(ReleaseKeys(tmp_path / "keys", taken.image(), lambda: later).renew(taken.image()))
    texts = [taken.image()["targets"], *taken.image()["delegated"].values()]
    ends = {release_metadata.parse(text).signed.expires for text in texts}
    assert min(ends) > later + timedelta(days=364)


def test_a_release_renews_what_will_end_within_half_a_year(taken, tmp_path):
    later = release_metadata.utc_now() + timedelta(days=300)
    keys = ReleaseKeys(tmp_path / "keys", taken.image(), lambda: later)
    taken.adopt(keys.release(taken.image(), ArtifactRef("function", "other", 1, "b" * 64, 1000, "")))
    texts = [taken.image()["targets"], *taken.image()["delegated"].values()]
    assert len(texts) > 2
    assert min(release_metadata.parse(text).signed.expires for text in texts) > later + timedelta(days=364)


@pytest.mark.parametrize(
    "offer", [{"targets": "junk"}, {"delegated": {"functions-lamp": "{}"}}, {"root": "[]"}], ids=str
)
def test_malformed_offer_is_refused_and_changes_nothing(taken, offer):
    before = taken.image()
    with pytest.raises(UntrustedError, match="does not hold"):
        taken.adopt(offer)
    assert taken.image() == before


def again(tmp_path, signing):
    return ReleaseKeys(tmp_path / "keys", signing.image())


def test_rotated_keys_sign_and_the_old_ones_do_not(taken, keys, tmp_path):
    taken.adopt(keys.release(taken.image(), ref(2, digest="b" * 64)))
    shutil.copytree(keys.folder, tmp_path / "copied" / keys.folder.name)
    taken.adopt(keys.rotate(taken.image()))
    new = again(tmp_path, taken)
    taken.adopt(new.release(taken.image(), ref(3, digest="c" * 64)))
    assert all(taken.lists(each) for each in (ref(), ref(2, digest="b" * 64), ref(3, digest="c" * 64)))
    with pytest.raises(UntrustedError, match="did not sign"):
        ReleaseKeys(tmp_path / "copied", taken.image()).release(taken.image(), ref(4))
    assert {path.name for path in keys.folder.iterdir()} == {"signed.json", *(f"{name}.pem" for name in NAMES)}


def test_crash_before_a_rotation_arrives_leaves_the_present_keys_in_use(taken, keys, tmp_path):
    keys.rotate(taken.image())
    present = again(tmp_path, taken)
    assert present.ids() == keys.ids()
    taken.adopt(present.release(taken.image(), ref(2, digest="b" * 64)))
    taken.adopt(present.rotate(taken.image()))
    assert again(tmp_path, taken).owns(taken.image())


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_crash_between_two_keys_of_a_rotation_is_finished_by_the_next_command(
    taken, keys, tmp_path, moved, monkeypatch
):
    taken.adopt(keys.rotate(taken.image()))
    rename, left = durable.rename, [moved]

    def crash(source, target):
        if not left[0]:
            raise SystemExit
        left[0] -= 1
        rename(source, target)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(durable, "rename", crash)
        again(tmp_path, taken)
    taken.adopt(again(tmp_path, taken).release(taken.image(), ref(2, digest="b" * 64)))


def test_shim_that_forges_a_root_with_the_next_keys_id_does_not_make_this_machine_drop_its_keys(taken, keys, tmp_path):
    offered = release_metadata.parse(keys.rotate(taken.image())["root"])
    offered.signatures.clear()
    forged = {**taken.image(), "root": [*taken.image()["root"], release_metadata.text_of(offered)]}
    before = keys.ids()
    with pytest.raises(UntrustedError, match="did not sign"):
        ReleaseKeys(tmp_path / "keys", forged)
    assert keys.ids() == before


def test_a_take_that_was_interrupted_is_named_and_accuses_nobody(signing, keys):
    keys.take(signing.image(), every_release(signing.image()))
    with pytest.raises(RejectedError, match="not in force") as refused:
        keys.release(signing.image(), ref(2))
    assert "`lamplight keys take` again" in str(refused.value)
