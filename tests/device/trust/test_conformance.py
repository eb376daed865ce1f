"""What a TUF client must refuse, tried role by role: documents that are changed, and signed again with the real keys.

It stands in for the published conformance suite, whose names it follows where they apply.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Metadata, MetaFile, TargetFile, Targets

from cloud_shim.cli.keys.root_keys import RootKeys
from device.errors import UntrustedError
from device.trust.verifier import Verifier
from tests.device.harness import function_files

pytestmark = pytest.mark.usefixtures("verified_here")

KEYS = {
    ("image", "targets"): "image-targets",
    ("image", "snapshot"): "image-online",
    ("image", "timestamp"): "image-online",
    ("image", "functions-lamp"): "image-releases",
    ("director", "targets"): "director-online",
    ("director", "snapshot"): "director-online",
    ("director", "timestamp"): "director-online",
}
ROLES = pytest.mark.parametrize(("repository", "role"), KEYS, ids=["-".join(each) for each in KEYS])
_LISTED = [each for each in KEYS if each[1] != "timestamp"]
LISTED = pytest.mark.parametrize(("repository", "role"), _LISTED, ids=["-".join(each) for each in _LISTED])


@pytest.fixture
def verifier(tmp_path, cloud):
    (tmp_path / "state").mkdir()
    return Verifier(tmp_path / "state", "home", "desk-pi", cloud.roots)


class Document:
    """A DESIRED document to tamper with."""

    def __init__(self, cloud, payload):
        self.cloud = cloud
        self.fields = json.loads(payload)

    def group(self, repository, role):
        fields = self.fields[repository]
        return fields["delegated"] if role not in ("targets", "snapshot", "timestamp") else fields

    def signed(self, repository, role):
        return Metadata.from_bytes(self.group(repository, role)[role].encode()).signed

    def put(self, repository, role, signed, *more_keys):
        metadata = Metadata(signed)
        for key in (self.cloud.signing._keys[KEYS[repository, role]], *more_keys):
            metadata.sign(key, append=True)
        self.group(repository, role)[role] = metadata.to_bytes().decode()

    def relist(self, repository, role):
        """Have snapshot and timestamp name the role as it is now."""
        if role not in ("snapshot", "timestamp"):
            snapshot = self.signed(repository, "snapshot")
            snapshot.meta[f"{role}.json"] = self.meta(repository, role)
            self.put(repository, "snapshot", snapshot)
        if role != "timestamp":
            timestamp = self.signed(repository, "timestamp")
            timestamp.snapshot_meta = self.meta(repository, "snapshot")
            self.put(repository, "timestamp", timestamp)

    def meta(self, repository, role):
        text = self.group(repository, role)[role].encode()
        return MetaFile.from_data(self.signed(repository, role).version, text, ["sha256"])

    def payload(self):
        return json.dumps(self.fields).encode()


@pytest.fixture
def document(cloud):
    return Document(cloud, cloud.desired(2, cloud.release(function_files())))


def refused(verifier, document, match="does not hold"):
    with pytest.raises(UntrustedError, match=match):
        verifier.believe(document.payload(), 0)


@ROLES
def test_document_signed_again_unchanged_is_believed(verifier, document, repository, role):
    document.put(repository, role, document.signed(repository, role))
    document.relist(repository, role)
    assert verifier.believe(document.payload(), 0).generation == 2


@ROLES
def test_expired_role(verifier, document, repository, role):
    signed = document.signed(repository, role)
    signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    document.put(repository, role, signed)
    document.relist(repository, role)
    refused(verifier, document, "have expired")


@ROLES
def test_rollback_of_a_role(verifier, document, cloud, repository, role):
    old = Document(cloud, document.payload())
    signed = document.signed(repository, role)
    signed.version += 5
    document.put(repository, role, signed)
    document.relist(repository, role)
    verifier.believe(document.payload(), 0)
    # Listed by newer ones, which a thief of the online key can sign; else the board keeps those that it has.
    for newer in [each for each in ("snapshot", "timestamp") if each != role and role != "timestamp"]:
        signed = old.signed(repository, newer)
        signed.version += 9
        old.put(repository, newer, signed)
    old.relist(repository, role)
    refused(verifier, old)


@pytest.mark.parametrize("repository", ["director", "image"])
def test_fast_forward_of_versions_ends_with_the_key_that_made_it(verifier, document, cloud, repository):
    ref = cloud.release(function_files())
    for role in ("snapshot", "timestamp"):
        signed = document.signed(repository, role)
        signed.version = 2**31
        document.put(repository, role, signed)
    document.relist(repository, "snapshot")
    verifier.believe(document.payload(), 0)
    with pytest.raises(UntrustedError, match="does not hold"):
        verifier.believe(cloud.desired(3, ref), 2)
    roots = {"image": cloud.signing.image()["root"][-1], "director": cloud.signing.director_root()}
    name = f"{repository}-online"
    cloud.signing.adopt(RootKeys(Path("/nowhere"), roots).with_online(name, cloud.signing.next_key(name)))
    assert verifier.believe(cloud.desired(4, ref), 2).generation == 4


@LISTED
def test_role_that_is_not_what_the_list_of_versions_says(verifier, document, repository, role):
    signed = document.signed(repository, role)
    signed.unrecognized_fields["extra"] = "longer"
    document.put(repository, role, signed)
    refused(verifier, document)


@ROLES
def test_role_signed_by_a_stranger(verifier, document, repository, role):
    metadata = Metadata(document.signed(repository, role))
    metadata.sign(CryptoSigner.generate_ed25519())
    document.group(repository, role)[role] = metadata.to_bytes().decode()
    document.relist(repository, role)
    refused(verifier, document)


@ROLES
@pytest.mark.parametrize("text", ["", "junk", "{}", "[]", '{"signed": {}, "signatures": []}'])
def test_malformed_role(verifier, document, repository, role, text):
    document.group(repository, role)[role] = text
    refused(verifier, document)


@ROLES
def test_duplicate_signatures_of_one_key_in_a_role(verifier, document, repository, role):
    fields = json.loads(document.group(repository, role)[role])
    fields["signatures"] *= 2
    document.group(repository, role)[role] = json.dumps(fields)
    refused(verifier, document)


@pytest.mark.parametrize("repository", ["image", "director"])
def test_one_signature_does_not_meet_a_threshold_of_two(verifier, document, cloud, repository):
    signing = cloud.signing
    roots = document.fields[repository]["root"]
    other = CryptoSigner.generate_ed25519()
    root = Metadata.from_bytes(roots[-1].encode()).signed
    root.version += 1
    root.add_key(other.public_key, "timestamp")
    root.roles["timestamp"].threshold = 2
    metadata = Metadata(root)
    metadata.sign(signing._keys[f"{repository}-root"])
    roots.append(metadata.to_bytes().decode())
    refused(verifier, document)
    document.put(repository, "timestamp", document.signed(repository, "timestamp"), other)
    assert verifier.believe(document.payload(), 0).generation == 2


@ROLES
def test_unknown_fields_and_words_of_any_language_are_no_fault(verifier, document, repository, role):
    signed = document.signed(repository, role)
    signed.unrecognized_fields["note"] = "Grüße, 灯, \u202e, \U0001f4a1, é as e\u0301"
    document.put(repository, role, signed)
    document.relist(repository, role)
    assert verifier.believe(document.payload(), 0).generation == 2


@LISTED
@pytest.mark.parametrize("fault", ["longer", "shorter", "another hash"])
def test_role_of_another_length_or_hash_than_listed(verifier, document, repository, role, fault):
    document.relist(repository, role)
    lister = "timestamp" if role == "snapshot" else "snapshot"
    signed = document.signed(repository, lister)
    meta = signed.snapshot_meta if role == "snapshot" else signed.meta[f"{role}.json"]
    if fault == "another hash":
        meta.hashes["sha256"] = "0" * 64
    else:
        meta.length += 1 if fault == "longer" else -1
    document.put(repository, lister, signed)
    document.relist(repository, lister)
    refused(verifier, document)


@pytest.mark.parametrize(("repository", "role"), [("image", "targets"), ("image", "snapshot"), ("director", "targets")])
def test_one_signature_does_not_meet_a_threshold_of_two_in_any_role(verifier, document, cloud, repository, role):
    other = CryptoSigner.generate_ed25519()
    roots = document.fields[repository]["root"]
    root = Metadata.from_bytes(roots[-1].encode()).signed
    root.version += 1
    root.add_key(other.public_key, role)
    root.roles[role].threshold = 2
    metadata = Metadata(root)
    metadata.sign(cloud.signing._keys[f"{repository}-root"])
    roots.append(metadata.to_bytes().decode())
    refused(verifier, document)
    document.put(repository, role, document.signed(repository, role), other)
    document.relist(repository, role)
    assert verifier.believe(document.payload(), 0).generation == 2


def test_one_signature_does_not_meet_a_delegations_threshold_of_two(verifier, document):
    top = document.signed("image", "targets")
    other = CryptoSigner.generate_ed25519()
    top.add_key(other.public_key, "functions-lamp")
    top.delegations.roles["functions-lamp"].threshold = 2
    document.put("image", "targets", top)
    document.relist("image", "targets")
    refused(verifier, document)
    document.put("image", "functions-lamp", document.signed("image", "functions-lamp"), other)
    document.relist("image", "functions-lamp")
    assert verifier.believe(document.payload(), 0).generation == 2


def delegate(document, role, paths, targets, first):
    """Add a delegated role, before or after the others, that lists `targets`."""
    top = document.signed("image", "targets")
    keys = top.delegations.roles["functions-lamp"].keyids
    added = {role: DelegatedRole(role, keys, 1, terminating=True, paths=paths)}
    present = dict(top.delegations.roles)
    top.delegations.roles = {**added, **present} if first else {**present, **added}
    document.put("image", "targets", top)
    document.fields["image"]["delegated"][role] = by_the_release_key(document, Targets(targets=targets))
    document.relist("image", "targets")
    snapshot = document.signed("image", "snapshot")
    snapshot.meta[f"{role}.json"] = document.meta("image", role)
    document.put("image", "snapshot", snapshot)
    document.relist("image", "snapshot")


def by_the_release_key(document, signed):
    signed.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    metadata = Metadata(signed)
    metadata.sign(document.cloud.signing._keys["image-releases"])
    return metadata.to_bytes().decode()


def test_a_role_is_not_asked_about_names_that_were_not_delegated_to_it(verifier, document):
    """A role for another name lists the wanted target, as other bytes, and stands first."""
    targets = document.signed("image", "functions-lamp").targets
    forged = {path: TargetFile(each.length, {"sha256": "0" * 64}, path) for path, each in targets.items()}
    delegate(document, "functions-other", ["functions/other/*"], forged, first=True)
    assert verifier.believe(document.payload(), 0).generation == 2


def test_the_first_role_that_a_name_is_delegated_to_ends_the_search(verifier, document):
    delegate(document, "functions-first", ["functions/lamp/*"], {}, first=True)
    refused(verifier, document, "does not list")


def test_a_later_role_for_the_same_name_does_not_count(verifier, document):
    targets = document.signed("image", "functions-lamp").targets
    forged = {path: TargetFile(each.length, {"sha256": "0" * 64}, path) for path, each in targets.items()}
    delegate(document, "functions-second", ["functions/lamp/*"], forged, first=False)
    assert verifier.believe(document.payload(), 0).generation == 2
