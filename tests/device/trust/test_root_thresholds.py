"""Roots that two of three machines must sign, on the board: what one stolen machine can do, which is nothing."""

from pathlib import Path

import pytest

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.cli.keys.root_keys import RootKeys
from cloud_shim.trust import release_metadata, root_metadata
from device.errors import UntrustedError
from device.trust.verifier import Verifier
from tests.device.harness import function_files
from tests.support import every_release

pytestmark = pytest.mark.usefixtures("verified_here")

OFFERED = {"image": "root", "director": "director_root"}


def machine(tmp_path: Path, cloud, name: str) -> RootKeys:
    roots = {"image": cloud.signing.image()["root"][-1], "director": cloud.signing.director_root()}
    return RootKeys(ReleaseKeys(tmp_path / name, cloud.signing.image()).folder, roots)


@pytest.fixture
def board(tmp_path, cloud):
    """A board that follows roots of which two of three machines must sign the next."""
    signing = cloud.signing
    ref = cloud.release(function_files())
    signing.adopt(ReleaseKeys(tmp_path / "anna", signing.image()).take(signing.image(), every_release(signing.image())))
    signing.adopt(machine(tmp_path, cloud, "anna").take_director())
    others = [machine(tmp_path, cloud, name).request() for name in ("ben", "carla")]
    for offer in machine(tmp_path, cloud, "anna").holders(others, 2):
        signing.adopt(offer)
    for offer in machine(tmp_path, cloud, "ben").sign(signing.pending()):
        signing.adopt(offer)
    (tmp_path / "state").mkdir()
    made = Verifier(tmp_path / "state", "home", "desk-pi", cloud.roots)
    assert made.believe(cloud.desired(1, ref), 0).generation == 1
    return made, ref


@pytest.mark.parametrize("repository", ["image", "director"])
def test_a_root_that_one_stolen_machine_of_three_signed_is_refused(tmp_path, cloud, board, repository):
    verifier, ref = board
    thief = machine(tmp_path, cloud, "carla")
    evil = next(offer for offer in thief.holders([], 1) if OFFERED[repository] in offer)[OFFERED[repository]]
    roots = {"image": cloud.signing._image, "director": cloud.signing._director}[repository]["root"]
    roots.append(evil)
    with pytest.raises(UntrustedError, match=f"{repository}'s signed metadata does not hold"):
        verifier.believe(cloud.desired(2, ref), 1)


@pytest.mark.parametrize("repository", ["image", "director"])
def test_the_same_key_twice_is_one_signature(tmp_path, cloud, board, repository):
    verifier, ref = board
    thief = machine(tmp_path, cloud, "carla")
    evil = next(offer for offer in thief.holders([], 1) if OFFERED[repository] in offer)[OFFERED[repository]]
    start = evil.index('"signatures":[') + len('"signatures":[')
    signature = evil[start : evil.index("]", start)]
    roots = {"image": cloud.signing._image, "director": cloud.signing._director}[repository]["root"]
    roots.append(f"{evil[:start]}{signature},{evil[start:]}")
    with pytest.raises(UntrustedError):
        verifier.believe(cloud.desired(2, ref), 1)


def test_what_two_of_three_signed_is_followed(tmp_path, cloud, board):
    verifier, ref = board
    gone = machine(tmp_path, cloud, "carla").ids()["director-root"]
    cloud.signing.adopt(machine(tmp_path, cloud, "anna").revoke(gone))
    for offer in machine(tmp_path, cloud, "ben").sign(cloud.signing.pending()):
        cloud.signing.adopt(offer)
    assert gone not in root_metadata.root_of(cloud.signing.director_root()).roles["root"].keyids
    assert verifier.believe(cloud.desired(2, ref), 1).generation == 2
    assert release_metadata.parse(cloud.signing.director_root()).signed.version == 4
