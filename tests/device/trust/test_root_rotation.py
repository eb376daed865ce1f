"""Keys replaced while a board was away: the document's chain of roots leads it to the new ones and off the old."""

from datetime import UTC, datetime, timedelta

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from device.errors import UntrustedError
from device.trust.verifier import Verifier
from tests.device.harness import function_files

pytestmark = pytest.mark.usefixtures("verified_here")

KEYS = {
    "director": {"root": "director-root", **dict.fromkeys(("targets", "snapshot", "timestamp"), "director-online")},
    "image": {
        "root": "image-root",
        "targets": "image-targets",
        **dict.fromkeys(("snapshot", "timestamp"), "image-online"),
    },
}


@pytest.fixture
def verifier(tmp_path, cloud):
    (tmp_path / "state").mkdir()
    return Verifier(tmp_path / "state", "home", "desk-pi", cloud.roots)


def rotate(cloud, repository, lasting=timedelta(days=365)):
    """Replace every key of a repository by a new root that the old root's key and the new one sign."""
    signing = cloud.signing
    roots = getattr(signing, f"_{repository}")["root"]
    root = Metadata.from_bytes(roots[-1].encode()).signed
    old = dict(signing._keys)
    for name in set(KEYS[repository].values()):
        signing._keys[name] = CryptoSigner.generate_ed25519()
    for role, name in KEYS[repository].items():
        root.revoke_key(old[name].public_key.keyid, role)
        root.add_key(signing._keys[name].public_key, role)
    root.version += 1
    root.expires = datetime.now(UTC).replace(microsecond=0) + lasting
    signed = Metadata(root)
    for key in (old[KEYS[repository]["root"]], signing._keys[KEYS[repository]["root"]]):
        signed.sign(key, append=True)
    roots.append(signed.to_bytes().decode())
    signing._publish(signing._with_roles({}))


@pytest.mark.parametrize("repository", ["director", "image"])
def test_key_rotation_across_three_versions_missed_while_offline(verifier, cloud, repository):
    ref = cloud.release(function_files())
    verifier.believe(cloud.desired(1, ref), 0)
    for _ in range(3):
        rotate(cloud, repository)
    assert verifier.believe(cloud.desired(2, ref), 1).generation == 2
    assert verifier.believe(cloud.desired(3, ref), 2).generation == 3


def test_a_root_left_out_of_the_chain(verifier, cloud):
    ref = cloud.release(function_files())
    for _ in range(3):
        rotate(cloud, "director")
    del cloud.signing._director["root"][2]
    with pytest.raises(UntrustedError, match="director's signed metadata does not hold"):
        verifier.believe(cloud.desired(1, ref), 0)


@pytest.mark.parametrize("name", ["director-online", "image-online", "image-targets"])
def test_a_revoked_key_signs_nothing_any_more(verifier, cloud, name):
    ref = cloud.release(function_files())
    stolen = cloud.signing._keys[name]
    rotate(cloud, name.partition("-")[0])
    verifier.believe(cloud.desired(1, ref), 0)
    cloud.signing._keys[name] = stolen
    cloud.signing._publish(cloud.signing._with_roles({}))
    with pytest.raises(UntrustedError, match="signed metadata does not hold"):
        verifier.believe(cloud.desired(2, ref), 1)


def test_a_chain_without_the_newest_root_does_not_bring_a_revoked_key_back(verifier, cloud):
    ref = cloud.release(function_files())
    before, keys = list(cloud.signing._director["root"]), dict(cloud.signing._keys)
    rotate(cloud, "director")
    verifier.believe(cloud.desired(1, ref), 0)
    cloud.signing._director["root"], cloud.signing._keys = before, keys
    with pytest.raises(UntrustedError, match="director's signed metadata does not hold"):
        verifier.believe(cloud.desired(2, ref), 1)


@pytest.mark.parametrize("repository", ["director", "image"])
def test_expired_root_is_refused_until_a_new_one_comes(verifier, cloud, repository):
    ref = cloud.release(function_files())
    rotate(cloud, repository, lasting=timedelta(days=-1))
    with pytest.raises(UntrustedError, match=rf"{repository}'s signatures have expired"):
        verifier.believe(cloud.desired(1, ref), 0)
    rotate(cloud, repository)
    assert verifier.believe(cloud.desired(2, ref), 0).generation == 2
