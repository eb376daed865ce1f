"""The keys that lie with the shim: made at first, replaced once a root names the next, forgotten once taken."""

import pytest

from cloud_shim.trust import key_files
from cloud_shim.trust.shim_keys import OFFLINE, ONLINE, ShimKeys
from device.errors import LamplightError

ALL = sorted([*OFFLINE, *ONLINE])


def ids(keys):
    return {name: each.public_key.keyid for name, each in keys.items()}


def named(keys, **changes):
    """The key ids in metadata that names these keys."""
    found = {name: {keyid} for name, keyid in ids(keys).items()}
    return {**found, **{name.replace("_", "-"): value for name, value in changes.items()}}


@pytest.fixture
def keys(tmp_path):
    return ShimKeys(tmp_path, None)


def test_all_keys_are_made_at_first_and_read_again(keys, tmp_path):
    assert keys.held() == ALL
    assert len(set(ids(keys).values())) == len(ALL)
    assert ids(ShimKeys(tmp_path, None)) == ids(ShimKeys(tmp_path, named(keys))) == ids(keys)


@pytest.mark.parametrize("name", OFFLINE)
def test_a_key_that_others_replaced_is_forgotten(keys, tmp_path, name):
    others = named(keys, **{name.replace("-", "_"): {"0" * 64}})
    keys.settle(others)
    assert keys.held() == [each for each in ALL if each != name]
    assert not (tmp_path / f"{name}.pem").exists()
    keys.settle(others)
    assert name not in keys


def test_one_of_several_holders_stays(keys):
    keys.settle(named(keys, image_root={"0" * 64, keys["image-root"].public_key.keyid}))
    assert keys.held() == ALL


@pytest.mark.parametrize("name", ONLINE)
def test_an_online_key_is_never_forgotten(keys, name):
    keys.settle(named(keys, **{name.replace("-", "_"): {"0" * 64}}))
    assert keys.held() == ALL


@pytest.mark.parametrize("name", ONLINE)
def test_the_next_key_signs_once_it_is_named(keys, tmp_path, name):
    before = ids(keys)
    assert keys.next(name) is None
    made = keys.make_next(name)
    following = keys.next(name)
    assert following is not None and following.public_key.keyid == made.keyid != before[name]
    keys.settle(named(keys))
    assert ids(keys) == before
    keys.settle(named(keys, **{name.replace("-", "_"): {made.keyid}}))
    assert ids(keys) == {**before, name: made.keyid}
    assert keys.next(name) is None
    assert ids(ShimKeys(tmp_path, named(keys))) == ids(keys)


def test_a_next_key_that_was_never_named_gives_way_to_another(keys):
    first, second = keys.make_next("image-online"), keys.make_next("image-online")
    assert first.keyid != second.keyid
    following = keys.next("image-online")
    assert following is not None and following.public_key.keyid == second.keyid


def test_a_next_key_in_use_before_it_is_named_is_taken_back_by_a_restart(keys):
    before = ids(keys)
    made = keys.make_next("image-online")
    keys.use_next("image-online")
    assert ids(keys)["image-online"] == made.keyid
    keys.settle(named(keys, image_online={before["image-online"]}))
    assert ids(keys) == before


def test_a_file_without_a_key_is_named_with_the_remedy(tmp_path, keys):
    (tmp_path / "image-root.pem").write_text("damaged")
    with pytest.raises(LamplightError) as refused:
        ShimKeys(tmp_path, named(keys))
    assert refused.value.what == f"{tmp_path / 'image-root.pem'} holds no key"
    assert "your copy" in refused.value.remedy


def test_a_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    made = key_files.make(tmp_path, "mine")
    assert key_files.make(tmp_path, "mine").public_key == made.public_key == key_files.read(tmp_path, "mine").public_key
    assert (tmp_path / "mine.pem").stat().st_mode & 0o777 == 0o600
    assert key_files.exists(tmp_path, "mine")
    key_files.replace(tmp_path, "mine", "other")
    assert (key_files.exists(tmp_path, "mine"), key_files.exists(tmp_path, "other")) == (False, True)
    key_files.remove(tmp_path, "other")
    assert not list(tmp_path.iterdir())
