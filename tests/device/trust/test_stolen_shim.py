"""Someone with the complete folder of a shim whose release keys were taken away, against the real verify process."""

import shutil

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.trust import release_metadata
from cloud_shim.trust.signing import _IMAGE, Signing
from device.errors import RejectedError, UntrustedError
from device.protocol.deployment import ArtifactRef
from device.trust.verifier import Verifier
from tests.device.harness import function_files, model_files
from tests.support import every_release

pytestmark = pytest.mark.usefixtures("verified_here")

EVIL = "e" * 64


@pytest.fixture
def keys(tmp_path, cloud):
    return ReleaseKeys(tmp_path / "keys", cloud.signing.image())


@pytest.fixture
def shipped(tmp_path, cloud, keys):
    """The releases before the theft: a function twice and a model, then the keys were taken, then the agent.

    A backup of the shim from before that lies in `backup`.
    """
    refs = [
        cloud.release(function_files()),
        cloud.release(function_files(body=b"#2\n")),
        cloud.release(model_files(), "model"),
    ]
    shutil.copytree(cloud.folder / "signing", tmp_path / "backup")
    cloud.signing.adopt(keys.take(cloud.signing.image(), every_release(cloud.signing.image())))
    agent = ArtifactRef("agent", "lamplight", 1, "d" * 64, 1000, "")
    cloud.signing.adopt(keys.release(cloud.signing.image(), agent))
    layer = ArtifactRef("layer", "aarch64-py311", 1, "c" * 64, 1000, "")
    cloud.signing.adopt(keys.release(cloud.signing.image(), layer))
    return {"old": refs[0], "function": refs[1], "model": refs[2], "agent": agent, "layer": layer}


@pytest.fixture
def verifier(tmp_path, cloud, shipped):
    """A board that runs the function and the model, and was given generation 5."""
    (tmp_path / "state").mkdir()
    made = Verifier(tmp_path / "state", "home", "desk-pi", cloud.roots)
    made.believe(cloud.desired(5, shipped["function"], shipped["model"]), 0)
    return made


@pytest.fixture
def thief(tmp_path, cloud, verifier):
    """The shim's folder on another machine."""
    shutil.copytree(cloud.folder / "signing", tmp_path / "stolen")
    return Signing(tmp_path / "stolen")


def fake_key(thief, name):
    thief._keys[name] = CryptoSigner.generate_ed25519()
    return thief._keys[name].public_key


def resign(thief, ref):
    """List `ref` in its role, under a key that the thief made; the top role stays as it was signed."""
    fake_key(thief, "image-releases")
    role = release_metadata.role_of(ref)
    image = thief.image()
    signed = release_metadata.successor(image["delegated"][role])
    signed.targets[ref.target] = release_metadata.target(ref)
    texts = {role: thief._text(signed, "image-releases", release_metadata.RELEASES)}
    publish(thief, {**image, "delegated": {**image["delegated"], **texts}}, texts)


def publish(thief, image, texts):
    snapshot, timestamp = (release_metadata.successor(image[role]) for role in ("snapshot", "timestamp"))
    thief._publish({**image, **thief._listing(texts, snapshot, timestamp, _IMAGE)})


def wanted(cloud, ref, function):
    if ref.kind == "layer":
        return cloud.deployment(6, function).replace(layers={function.name: ref})
    deployment = cloud.deployment(6, ref)
    return deployment.replace(agent=ref) if ref.kind == "agent" else deployment


@pytest.mark.parametrize("kind", ["function", "model", "agent", "layer"])
def test_stolen_shim_signs_no_new_code_model_or_agent(thief, shipped, kind):
    with pytest.raises(RejectedError, match="cannot sign a release"):
        thief.release(kind, shipped[kind].name, 9, EVIL, 1000)


@pytest.mark.parametrize("kind", ["function", "model", "agent", "layer"])
def test_stolen_shim_lists_new_bytes_under_a_key_of_its_own(thief, cloud, verifier, shipped, kind):
    evil = ArtifactRef(kind, shipped[kind].name, 9, EVIL, 1000, "")
    resign(thief, evil)
    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(thief.desired(wanted(cloud, evil, shipped["function"])), 5)


@pytest.mark.parametrize("kind", ["function", "model", "agent", "layer"])
def test_stolen_shim_swaps_the_bytes_of_a_signed_release(thief, cloud, verifier, shipped, kind, monkeypatch):
    real = shipped[kind]
    swapped = ArtifactRef(kind, real.name, real.version, EVIL, real.length, "")
    monkeypatch.setattr(thief, "_check_released", lambda deployment: None)
    with pytest.raises(UntrustedError, match=r"image repository lists .* another length or digest"):
        verifier.believe(thief.desired(wanted(cloud, swapped, shipped["function"])), 5)


def test_stolen_shim_delegates_a_name_to_a_key_of_its_own(thief, cloud, verifier, shipped):
    fake_key(thief, "image-targets")
    releases = fake_key(thief, "image-releases")
    image = thief.image()
    top = release_metadata.successor(image["targets"])
    top.delegations.keys[releases.keyid] = releases
    release_metadata.delegate(top, "functions-lamp", releases.keyid)
    texts = {"targets": thief._text(top, "image-targets", release_metadata.RELEASES)}
    publish(thief, {**image, **texts}, texts)
    evil = ArtifactRef("function", "lamp", 9, EVIL, 1000, "")
    resign(thief, evil)
    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(thief.desired(wanted(cloud, evil, shipped["function"])), 5)


def test_stolen_shim_makes_a_root_of_its_own(thief, cloud, verifier, shipped):
    root = Metadata.from_bytes(thief.image()["root"][-1].encode()).signed
    key = CryptoSigner.generate_ed25519()
    root.version += 1
    for role in ("root", "targets"):
        root.revoke_key(root.roles[role].keyids[0], role)
        root.add_key(key.public_key, role)
    forged = Metadata(root)
    forged.sign(key)
    thief.image()["root"].append(forged.to_bytes().decode())
    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(thief.desired(cloud.deployment(6, shipped["function"])), 5)


def test_backup_of_the_shim_with_the_keys_of_before_on_a_board_that_knows_the_new_ones(
    tmp_path, cloud, thief, verifier
):
    shutil.copytree(tmp_path / "stolen" / "devices", tmp_path / "backup" / "devices", dirs_exist_ok=True)
    backup = Signing(tmp_path / "backup")
    evil = ArtifactRef("function", "lamp", 9, EVIL, 1000, "")
    for _ in range(5):
        backup.release("function", "lamp", 9, EVIL, 1000)
        backup._publish(backup._with_roles({}))
    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(backup.desired(wanted(cloud, evil, evil)), 5)


def test_stolen_shim_goes_below_the_floor(thief, cloud, verifier, shipped, monkeypatch):
    monkeypatch.setattr("cloud_shim.trust.director_files.DirectorFiles.check", lambda files, deployment: None)
    with pytest.raises(UntrustedError, match="Generation 4 is older"):
        verifier.believe(thief.desired(cloud.deployment(4, shipped["old"])), 5)


def test_stolen_shim_can_deploy_again_what_was_signed(thief, cloud, verifier, shipped):
    assert verifier.believe(thief.desired(cloud.deployment(6, shipped["old"])), 5).generation == 6


def test_board_follows_the_taken_keys_and_runs_what_they_sign(cloud, keys, verifier, shipped):
    ref = ArtifactRef("function", "lamp", 3, "f" * 64, 1000, "")
    cloud.signing.adopt(keys.release(cloud.signing.image(), ref))
    assert verifier.believe(cloud.desired(6, ref), 5).functions["lamp"].version == 3


def test_developers_old_keys_are_worth_nothing_after_a_rotation(tmp_path, cloud, keys, verifier, shipped):
    shutil.copytree(keys.folder, tmp_path / "copied" / keys.folder.name)
    shutil.copytree(cloud.folder / "signing", tmp_path / "before")
    cloud.signing.adopt(keys.rotate(cloud.signing.image()))
    verifier.believe(cloud.desired(6, shipped["function"]), 5)
    shutil.copytree(cloud.folder / "signing" / "devices", tmp_path / "before" / "devices", dirs_exist_ok=True)
    before = Signing(tmp_path / "before")
    evil = ArtifactRef("function", "lamp", 9, EVIL, 1000, "")
    old = ReleaseKeys(tmp_path / "copied", before.image())
    before.adopt(old.release(before.image(), evil))
    for _ in range(3):
        before.adopt(old.renew(before.image()))
    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(before.desired(cloud.deployment(7, evil)), 6)
