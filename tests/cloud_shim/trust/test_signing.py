"""The shim's signatures: versions only go up, releases never change, and a restart forgets nothing."""

import hashlib
import json
import threading
from datetime import datetime, timedelta

import pytest

from cloud_shim.trust import release_metadata
from cloud_shim.trust.release_metadata import RELEASES
from cloud_shim.trust.signing import ONLINE, Signing
from device.errors import NotFoundError, RejectedError, UntrustedError
from device.protocol.deployment import ArtifactRef, Deployment, Patch
from device.protocol.withdrawn import Withdrawal
from tests.cloud_shim.trust.conftest import START


def ref(version=1, name="lamp", digest="a" * 64, kind="function"):
    return ArtifactRef(kind, name, version, digest, 1000, "")


def deployment(generation, *refs, device="desk-pi"):
    return Deployment("home", device, generation, {each.name: each for each in refs}, {}, {}, 5.0, 3)


def versions(document):
    fields = json.loads(document)
    return {
        (repository, role): json.loads(fields[repository][role])["signed"]["version"]
        for repository in ("director", "image")
        for role in ("timestamp", "snapshot", "targets")
    }


def expiry(document, repository):
    return datetime.fromisoformat(json.loads(json.loads(document)[repository]["timestamp"])["signed"]["expires"])


def test_keys_are_readable_by_the_owner_only(signing, tmp_path):
    keys = list((tmp_path / "keys").iterdir())
    assert len(keys) == 6
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_nothing_of_it_is_open_to_others(tmp_path):
    made = Signing(tmp_path / "signing")
    made.release("function", "lamp", 1, "a" * 64, 1000)
    made.desired(deployment(1, ref()))
    open_ones = {str(each): oct(each.stat().st_mode) for each in tmp_path.rglob("*") if each.stat().st_mode & 0o077}
    assert open_ones == {}
    assert {each.name for each in tmp_path.rglob("*")} >= {"keys", "devices", "clock.json", "desk-pi.json"}


def test_versions_only_go_up_and_survive_a_restart(signing, tmp_path, clock):
    first = versions(signing.desired(deployment(1, ref())))
    again = Signing(tmp_path, clock)
    assert again.roots() == signing.roots()
    again.release("function", "lamp", 2, "b" * 64, 1000)
    second = versions(again.desired(deployment(2, ref(2, digest="b" * 64))))
    assert all(second[key] > first[key] for key in first)


def test_the_same_generation_can_be_signed_again(signing):
    first, second = (versions(signing.desired(deployment(1, ref()))) for _ in range(2))
    assert second["director", "timestamp"] == first["director", "timestamp"] + 1


def test_a_document_holds_only_the_roles_its_device_needs(signing):
    for number in range(50):
        signing.release("function", f"other-{number}", 1, "b" * 64, 1000)
    document = signing.desired(deployment(1, ref()))
    assert list(json.loads(document)["image"]["delegated"]) == ["functions-lamp"]


def test_devices_have_a_director_each(signing):
    signing.desired(deployment(1, ref()))
    signing.desired(deployment(2, ref()))
    other = versions(signing.desired(deployment(1, ref(), device="hall-pi")))
    assert other["director", "targets"] == 1


def test_the_same_release_again_changes_nothing(signing, tmp_path):
    before = (tmp_path / "image.json").read_bytes()
    signing.release("function", "lamp", 1, "a" * 64, 1000)
    assert (tmp_path / "image.json").read_bytes() == before


@pytest.mark.parametrize(("digest", "length"), [("b" * 64, 1000), ("a" * 64, 999)])
def test_a_release_never_changes(signing, digest, length):
    with pytest.raises(RejectedError, match="lamp v1 exists with other content"):
        signing.release("function", "lamp", 1, digest, length)


@pytest.mark.parametrize(
    "stranger",
    [ref(2), ref(name="nobody"), ref(digest="b" * 64), ref(kind="model")],
    ids=["version", "name", "digest", "kind"],
)
def test_only_what_was_released_is_deployed(signing, stranger):
    with pytest.raises(RejectedError, match="was not released"):
        signing.desired(deployment(1, stranger))


def test_a_generation_is_neither_taken_back_nor_changed(signing):
    signing.desired(deployment(5, ref()))
    with pytest.raises(RejectedError, match="generation 4 would go back"):
        signing.desired(deployment(4, ref()))
    with pytest.raises(RejectedError, match="already given generation 5"):
        signing.desired(deployment(5))


def test_refresh_signs_anew_when_half_the_time_has_passed(signing, clock):
    document = signing.desired(deployment(1, ref()))
    assert signing.refresh("desk-pi") is None
    clock.now = START + ONLINE * 0.6
    signing.clock.confirm()
    renewed = signing.refresh("desk-pi")
    assert renewed is not None
    assert json.loads(renewed)["deployment"] == json.loads(document)["deployment"]
    assert {expiry(renewed, each) for each in ("director", "image")} == {clock.now + ONLINE}
    assert all(versions(renewed)[key] >= version for key, version in versions(document).items())
    assert signing.refresh("desk-pi") is None


def test_refresh_after_years_renews_the_releases_too(signing, clock):
    signing.desired(deployment(1, ref()))
    clock.now = START + timedelta(days=800)
    signing.clock.confirm()
    role = json.loads(signing.refresh("desk-pi"))["image"]["delegated"]["functions-lamp"]
    assert datetime.fromisoformat(json.loads(role)["signed"]["expires"]) > clock.now


def test_refresh_of_an_unknown_device_says_so(signing):
    with pytest.raises(NotFoundError, match="hall-pi"):
        signing.refresh("hall-pi")
    with pytest.raises(NotFoundError, match="not a device's name"):
        signing.refresh("../image")


def test_a_crash_before_the_rename_leaves_the_state_before(signing, tmp_path, clock, monkeypatch):
    before = versions(signing.desired(deployment(1, ref())))
    with monkeypatch.context() as failing, pytest.raises(OSError):
        failing.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        signing.release("function", "lamp", 2, "b" * 64, 1000)
    for shim in (signing, Signing(tmp_path, clock)):
        with pytest.raises(RejectedError, match="was not released"):
            shim.desired(deployment(2, ref(2, digest="b" * 64)))
    signing.release("function", "lamp", 2, "b" * 64, 1000)
    after = versions(signing.desired(deployment(2, ref(2, digest="b" * 64))))
    assert after["image", "snapshot"] == before["image", "snapshot"] + 1
    assert not [path for path in tmp_path.rglob(".tmp-*") if path.is_file()]


def test_threads_do_not_lose_each_others_releases(signing):
    def release(first):
        for number in range(first, first + 5):
            signing.release("function", f"f-{number}", 1, "b" * 64, 1000)

    threads = [threading.Thread(target=release, args=(first,)) for first in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signing.desired(deployment(1, *(ref(name=f"f-{number}", digest="b" * 64) for number in range(15))))


def patched(base="c" * 64, digest="d" * 64):
    """Release 2 of lamp with a patch."""
    return ArtifactRef("function", "lamp", 2, "b" * 64, 1000, "", (Patch("function", "lamp", 2, base, digest, 90, ""),))


def test_a_release_is_signed_with_its_patches_and_the_director_lists_those_of_the_deployment(signing):
    first, second = (patched(base).patches[0] for base in ("c" * 64, "e" * 64))
    signing.release("function", "lamp", 2, "b" * 64, 1000, (first, second))
    listed = json.loads(json.loads(signing.desired(deployment(1, patched())))["director"]["targets"])["signed"]
    assert set(listed["targets"]) == {
        "deployment.json",
        "functions/lamp/2.tar",
        "functions/lamp/2.from-cccccccccccccccc.patch",
    }


def test_a_release_may_get_a_patch_later(signing):
    signing.release("function", "lamp", 2, "b" * 64, 1000)
    signing.release("function", "lamp", 2, "b" * 64, 1000, patched().patches)
    assert len(told_patches(signing.desired(deployment(1, patched())))) == 1


def test_a_patch_never_changes(signing):
    signing.release("function", "lamp", 2, "b" * 64, 1000, patched().patches)
    with pytest.raises(RejectedError, match="exists with other content"):
        signing.release("function", "lamp", 2, "b" * 64, 1000, patched(digest="f" * 64).patches)


def test_a_patch_that_is_other_bytes_than_were_released_is_not_deployed(signing):
    signing.release("function", "lamp", 2, "b" * 64, 1000, patched(digest="f" * 64).patches)
    with pytest.raises(RejectedError, match="was not released"):
        signing.desired(deployment(1, patched()))


def told_patches(document):
    return json.loads(json.loads(document)["deployment"])["functions"]["lamp"].get("patches", [])


def test_a_patch_that_is_not_signed_is_left_out(signing):
    signing.release("function", "lamp", 2, "b" * 64, 1000)
    assert told_patches(signing.desired(deployment(1, patched()))) == []


def release_newer(signing, count):
    for version in range(3, 3 + count):
        made = Patch("function", "lamp", version, "a" * 64, f"{version:064x}", 90, "")
        signing.release("function", "lamp", version, f"{100 + version:064x}", 1000, [made])


def test_patches_of_old_releases_are_signed_no_more_and_their_deployments_go_on_without(signing, clock):
    signing.release("function", "lamp", 2, "b" * 64, 1000, patched().patches)
    release_newer(signing, 2)
    assert told_patches(signing.desired(deployment(1, patched())))
    release_newer(signing, 3)
    assert told_patches(signing.desired(deployment(1, patched()))) == []
    clock.now += ONLINE
    signing.clock.confirm()
    assert told_patches(signing.refresh("desk-pi")) == []
    with pytest.raises(RejectedError, match="would go back"):
        signing.desired(deployment(1, ref()))


def test_an_old_release_signed_again_does_not_bring_its_patches_back(signing, tmp_path):
    signing.release("function", "lamp", 2, "b" * 64, 1000, patched().patches)
    release_newer(signing, 3)
    before = (tmp_path / "image.json").read_bytes()
    signing.release("function", "lamp", 2, "b" * 64, 1000, patched().patches)
    assert (tmp_path / "image.json").read_bytes() == before


def test_the_patches_of_many_releases_do_not_make_documents_longer(signing):
    lengths = []
    for version in range(2, 30):
        patches = [Patch("function", "lamp", version, f"{k:064x}", f"{version:063x}{k}", 90, "") for k in range(3)]
        signing.release("function", "lamp", version, f"{version:064x}", 1000, patches)
        lengths.append(len(signing.desired(deployment(version, ref(version, digest=f"{version:064x}")))))
    assert lengths[-1] - lengths[-2] < 200


def test_what_is_signed_is_readable_by_the_owner_only(signing, tmp_path):
    signing.desired(deployment(1, ref()))
    files = [tmp_path / name for name in ("image.json", "director.json", "devices/desk-pi.json")]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


def test_the_directors_signatures_last_as_long_as_the_timestamps_and_bind_the_deployment(signing):
    document = json.loads(signing.desired(deployment(1, ref())))
    targets = json.loads(document["director"]["targets"])["signed"]
    assert document["format"] == 1
    assert datetime.fromisoformat(targets["expires"]) == START + ONLINE
    digest = hashlib.sha256(document["deployment"].encode()).hexdigest()
    assert targets["targets"]["deployment.json"]["hashes"] == {"sha256": digest}
    lamp = json.loads(document["image"]["delegated"]["functions-lamp"])["signed"]
    assert datetime.fromisoformat(lamp["expires"]) == START + RELEASES


@pytest.mark.parametrize("younger", ["image", "director"])
def test_a_document_is_signed_anew_when_either_repository_is_half_way_through_its_time(signing, clock, younger):
    signing.desired(deployment(1, ref()))
    clock.now = START + ONLINE * 0.4
    if younger == "image":
        signing.release("function", "fan", 1, "b" * 64, 1000)
    else:
        signing.desired(deployment(2, ref()))
    assert signing.refresh("desk-pi") is None
    clock.now = START + ONLINE * 0.6
    signing.clock.confirm()
    assert signing.refresh("desk-pi") is not None
    assert signing.refresh("desk-pi") is None


def without_releases_key(signing, tmp_path, clock):
    """The shim, with the key for releases on another machine."""
    (tmp_path / "keys" / "image-releases.pem").unlink()
    again = Signing(tmp_path, clock)
    assert not again.can_release
    return again


def test_a_shim_without_the_key_for_releases_renews_its_own_signatures_and_no_others(signing, clock, tmp_path):
    before = versions(signing.desired(deployment(1, ref())))
    again = without_releases_key(signing, tmp_path, clock)
    clock.now = START + ONLINE * 0.6
    again.clock.confirm()
    document = again.refresh("desk-pi")
    assert expiry(document, "image") == clock.now + ONLINE
    after = versions(document)
    assert {role: after["image", role] - before["image", role] for role in ("timestamp", "snapshot", "targets")} == {
        "timestamp": 1,
        "snapshot": 1,
        "targets": 0,
    }


def test_a_shim_without_the_key_for_releases_takes_a_known_release_without_its_patches_and_no_other(
    signing, clock, tmp_path
):
    again = without_releases_key(signing, tmp_path, clock)
    before = (tmp_path / "image.json").read_bytes()
    again.release("function", "lamp", 1, "a" * 64, 1000, [Patch("function", "lamp", 1, "c" * 64, "d" * 64, 9, "")])
    assert (tmp_path / "image.json").read_bytes() == before
    with pytest.raises(RejectedError, match="cannot sign a release"):
        again.release("function", "lamp", 2, "b" * 64, 1000)
    with pytest.raises(RejectedError, match="cannot sign a release"):
        again.withdraw(Withdrawal("function", "lamp", 1, False, "it leaks", 1))


def test_a_withdrawal_is_signed_and_survives_a_restart(signing, clock, tmp_path):
    made = Withdrawal("function", "lamp", 1, True, "it leaks", 7, True)
    signing.withdraw(made)
    for shim in (signing, Signing(tmp_path, clock)):
        assert [each.to_json() for each in shim.withdrawals()] == [made.to_json()]
    document = json.loads(signing.desired(deployment(1, ref())))
    assert json.loads(document["image"]["targets"])["signed"]["withdrawn"] == [made.to_json()]


def test_only_online_keys_are_replaced_by_the_shim(signing):
    made = signing.next_key("image-online")
    assert set(made) == {"id", "key"}
    with pytest.raises(NotFoundError, match="no online key 'image-root'"):
        signing.next_key("image-root")


def test_a_new_root_of_the_director_is_adopted_and_readable_by_the_owner_only(signing, clock, tmp_path):
    following = release_metadata.successor(signing.director_root())
    text = release_metadata.signed_text(following, START + release_metadata.ROOT, signing._keys["director-root"])
    signing.adopt({"director_root": text})
    for shim in (signing, Signing(tmp_path, clock)):
        assert release_metadata.parse(shim.director_root()).signed == following
    assert (tmp_path / "director.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UntrustedError, match="does not follow"):
        signing.adopt({"director_root": text})
