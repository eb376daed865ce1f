"""The key that deploys is replaced: boards follow, and a thief's copy of the old one is worth nothing to them."""

import shutil
from pathlib import Path

import pytest

from cloud_shim.cli.keys.root_keys import RootKeys
from cloud_shim.trust.signing import Signing
from device.errors import UntrustedError
from device.protocol.deployment import MAX_GENERATION
from device.trust.verifier import Verifier
from tests.device.harness import function_files

pytestmark = pytest.mark.usefixtures("verified_here")


def rotate(signing, name="director-online"):
    """As `lamplight keys rotate` does while the root keys lie with the shim."""
    roots = {"image": signing.image()["root"][-1], "director": signing.director_root()}
    signing.adopt(RootKeys(Path("/nowhere"), roots).with_online(name, signing.next_key(name)))


@pytest.fixture
def board(tmp_path, cloud):
    (tmp_path / "state").mkdir()
    return Verifier(tmp_path / "state", "home", "desk-pi", cloud.roots)


def test_a_board_follows_also_when_it_missed_some(cloud, board):
    ref = cloud.release(function_files())
    board.believe(cloud.desired(1, ref), 0)
    for _ in range(3):
        rotate(cloud.signing)
    assert board.believe(cloud.desired(2, ref), 1).generation == 2


def test_a_new_board_is_given_the_newest_root(cloud, tmp_path):
    rotate(cloud.signing)
    director, _ = cloud.signing.roots()
    (cloud.roots / "director-root.json").write_bytes(director)
    (tmp_path / "new").mkdir()
    board = Verifier(tmp_path / "new", "home", "desk-pi", cloud.roots)
    assert board.believe(cloud.desired(1, cloud.release(function_files())), 0).generation == 1


def test_a_stolen_copy_of_the_old_key_deploys_nothing_any_more(cloud, board, tmp_path):
    ref = cloud.release(function_files())
    shutil.copytree(cloud.folder / "signing", tmp_path / "stolen")
    rotate(cloud.signing)
    board.believe(cloud.desired(1, ref), 0)
    thief = Signing(tmp_path / "stolen")
    with pytest.raises(UntrustedError):
        board.believe(thief.desired(cloud.deployment(9, ref)), 1)


@pytest.fixture
def pushed(cloud, board, tmp_path):
    """A thief had the key and deployed the highest generation that there is: what a board asks for then."""
    ref = cloud.release(function_files())
    shutil.copytree(cloud.folder / "signing", tmp_path / "stolen")
    thief = Signing(tmp_path / "stolen")
    board.believe(thief.desired(cloud.deployment(MAX_GENERATION, ref)), 0)
    return MAX_GENERATION, board.signer


def test_a_thief_who_pushed_the_count_to_its_end_blocks_nothing_once_the_key_is_replaced(cloud, board, pushed):
    ref = cloud.release(function_files())
    with pytest.raises(UntrustedError):
        board.believe(cloud.desired(2, ref), *pushed)
    rotate(cloud.signing)
    document = cloud.desired(3, ref)
    # Twice: power may go when the metadata is kept and the new count is not.
    for _ in range(2):
        assert board.believe(document, *pushed).generation == 3
    with pytest.raises(UntrustedError, match="older than generation 4"):
        board.believe(document, 4, board.signer)


def test_an_old_root_played_again_lowers_no_count(cloud, board, tmp_path):
    ref = cloud.release(function_files())
    old = cloud.desired(1, ref)
    rotate(cloud.signing)
    board.believe(cloud.desired(3, ref), 0)
    (tmp_path / "state" / "trusted.json").unlink()
    with pytest.raises(UntrustedError, match="older than generation 3"):
        board.believe(old, 3, board.signer)


@pytest.mark.parametrize(
    "step", ["shim_keys.key_files.make", "signing.durable.write_file", "shim_keys.key_files.replace"]
)
def test_a_crash_in_the_middle_leaves_the_old_key_or_the_new(cloud, board, monkeypatch, step):
    ref = cloud.release(function_files())
    board.believe(cloud.desired(1, ref), 0)

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"cloud_shim.trust.{step}", crash)
        with pytest.raises(KeyboardInterrupt):
            rotate(cloud.signing)
    again = Signing(cloud.folder / "signing")
    assert board.believe(again.desired(cloud.deployment(2, ref)), 1).generation == 2
