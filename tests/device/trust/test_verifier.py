"""What is believed and what is not: attacks on signed documents, through the real verify process."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from cloud_shim.trust.signing import Signing
from device.errors import UntrustedError
from device.protocol.deployment import Deployment
from device.trust.verifier import RefusedError, Verifier
from tests.device.harness import Cloud, function_files, model_files


@pytest.fixture
def verifier(tmp_path, cloud):
    (tmp_path / "state").mkdir()
    return Verifier(tmp_path / "state", "home", "desk-pi", cloud.roots)


@pytest.fixture
def ref(cloud):
    return cloud.release(function_files())


def tampered(document, change):
    fields = json.loads(document)
    change(fields)
    return json.dumps(fields).encode()


def resigned(cloud, deployment, change):
    """A director whose targets say something else than the deployment, correctly signed by its own key."""
    state = cloud.signing._chain

    def chain(changed, *rest):
        if "deployment.json" in changed["targets"].targets:
            change(changed["targets"].targets)
        return state(changed, *rest)

    cloud.signing._chain = chain
    try:
        return cloud.signing.desired(deployment)
    finally:
        cloud.signing._chain = state


def test_a_good_document_is_believed_again_and_again(verifier, cloud, ref):
    model = cloud.release(model_files(), "model")
    assert verifier.believe(cloud.desired(1, ref), 0).functions["lamp"].digest == ref.digest
    document = cloud.desired(2, ref, model)
    assert verifier.believe(document, 1).generation == 2
    assert verifier.believe(document, 2).models["presence"].digest == model.digest


def test_wrong_device(verifier, cloud, ref):
    with pytest.raises(RefusedError, match="is for home/hall-pi") as caught:
        verifier.believe(cloud.desired(4, ref, device="hall-pi"), 0)
    assert caught.value.claimed == 4


def test_wrong_fleet(verifier, cloud, ref):
    with pytest.raises(UntrustedError, match="is for away/desk-pi"):
        verifier.believe(cloud.desired(1, ref, fleet="away"), 0)


def test_rollback_to_an_older_generation(verifier, cloud, ref):
    with pytest.raises(UntrustedError, match="Generation 6 is older than generation 7"):
        verifier.believe(cloud.desired(6, ref), 7)


def test_replay_of_an_old_desired(verifier, cloud, ref):
    old = cloud.desired(1, ref)
    verifier.believe(cloud.desired(2, ref), 0)
    # Not by the floor, which is let go of here: the metadata's own versions do not go back.
    with pytest.raises(UntrustedError, match="director's signed metadata does not hold"):
        verifier.believe(old, 0)


def test_mix_and_match_of_an_old_image_repository_with_a_new_director(verifier, cloud, ref):
    old = json.loads(cloud.desired(1, ref))["image"]
    cloud.release(function_files(body=b"def handler(a, b): pass"))
    verifier.believe(cloud.desired(2, ref), 0)
    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(tampered(cloud.desired(3, ref), lambda fields: fields.update(image=old)), 0)


def test_tampered_deployment(verifier, cloud, ref):
    def change(fields):
        fields["deployment"] = fields["deployment"].replace('"generation":1', '"generation":9')

    with pytest.raises(RefusedError, match="not the one that the director has signed") as caught:
        verifier.believe(tampered(cloud.desired(1, ref), change), 0)
    assert caught.value.claimed == 9


@pytest.mark.parametrize("repository", ["director", "image"])
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_tampered_metadata(verifier, cloud, ref, repository, role):
    def change(fields):
        fields[repository][role] = fields[repository][role].replace('"version":', '"version":1')

    with pytest.raises(UntrustedError, match=f"{repository}'s signed metadata does not hold"):
        verifier.believe(tampered(cloud.desired(1, ref), change), 0)


def test_tampered_release(verifier, cloud, ref):
    def change(fields):
        role = fields["image"]["delegated"]["functions-lamp"]
        fields["image"]["delegated"]["functions-lamp"] = role.replace(ref.digest, "0" * 64)

    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(tampered(cloud.desired(1, ref), change), 0)


def test_a_release_withheld(verifier, cloud, ref):
    with pytest.raises(UntrustedError, match=r"functions-lamp\.json"):
        verifier.believe(tampered(cloud.desired(1, ref), lambda fields: fields["image"].update(delegated={})), 0)


def test_another_clouds_signatures(verifier, tmp_path):
    (tmp_path / "stranger").mkdir()
    stranger = Cloud(tmp_path / "stranger")
    with pytest.raises(UntrustedError, match="does not hold"):
        verifier.believe(stranger.desired(1, stranger.release(function_files())), 0)


@pytest.mark.parametrize("left", [0, 100], ids=["empty", "cut short"])
@pytest.mark.parametrize("repository", ["director", "image"])
def test_a_damaged_first_root_is_named(verifier, cloud, ref, repository, left):
    root = cloud.roots / f"{repository}-root.json"
    root.write_bytes(root.read_bytes()[:left])
    with pytest.raises(UntrustedError, match=f"The {repository}'s signed metadata does not hold"):
        verifier.believe(cloud.desired(1, ref), 0)


def test_another_clouds_root_behind_ours(verifier, cloud, ref, tmp_path):
    other = Signing(tmp_path / "other").roots()[0].decode().replace('"version":1', '"version":2')

    with pytest.raises(UntrustedError, match="does not hold"):
        verifier.believe(tampered(cloud.desired(1, ref), lambda fields: fields["director"]["root"].append(other)), 0)


def test_stolen_director_key_cannot_make_a_release(verifier, cloud, ref, monkeypatch):
    ghost = type(ref)("function", "lamp", 99, "0" * 64, 10, "")
    monkeypatch.setattr(cloud.signing, "_check_released", lambda deployment: None)
    with pytest.raises(UntrustedError, match=r"image repository does not list functions/lamp/99\.tar"):
        verifier.believe(cloud.desired(1, ghost), 0)


def test_an_artifact_listed_by_the_image_repository_only(verifier, cloud, ref):
    document = resigned(cloud, cloud.deployment(1, ref), lambda targets: targets.pop(ref.target))
    with pytest.raises(UntrustedError, match=r"director does not list functions/lamp/1\.tar"):
        verifier.believe(document, 0)


def test_an_artifact_of_another_length(verifier, cloud, ref, monkeypatch):
    monkeypatch.setattr(cloud.signing, "_check_released", lambda deployment: None)
    ref.length += 1
    with pytest.raises(UntrustedError, match=r"image repository lists .* with another length or digest"):
        verifier.believe(cloud.desired(1, ref), 0)


def test_arbitrary_artifact_behind_the_name_of_a_release(verifier, cloud, ref, monkeypatch):
    monkeypatch.setattr(cloud.signing, "_check_released", lambda deployment: None)
    ref.digest = "0" * 64
    with pytest.raises(UntrustedError, match=r"image repository lists .* with another length or digest"):
        verifier.believe(cloud.desired(1, ref), 0)


def test_a_director_that_contradicts_its_own_deployment(verifier, cloud, ref):
    def change(targets):
        targets[ref.target].length += 1

    with pytest.raises(UntrustedError, match=r"director lists .* with another length or digest"):
        verifier.believe(resigned(cloud, cloud.deployment(1, ref), change), 0)


def test_a_release_in_another_names_role(verifier, cloud, ref):
    """A role may sign only for the name it stands for: its signature for another function counts nothing."""
    lamp = cloud.signing._image["delegated"]["functions-lamp"]
    other = type(ref)("function", "other", 1, ref.digest, ref.length, "")
    cloud.signing.release("function", "other", 1, ref.digest, ref.length)

    def change(fields):
        fields["image"]["delegated"] = {"functions-other": lamp}

    with pytest.raises(UntrustedError, match="image's signed metadata does not hold"):
        verifier.believe(tampered(cloud.desired(1, other), change), 0)


def test_expired_metadata_says_what_the_clock_reads(verifier, tmp_path, cloud, ref):
    cloud.signing.clock._clock = lambda: datetime.now(UTC) - timedelta(days=40)
    cloud.signing.clock.confirm()
    expired = cloud.desired(1, ref)
    with pytest.raises(UntrustedError, match=rf"expired.*board's clock, .*it is {datetime.now(UTC):%Y-%m}.*signs anew"):
        verifier.believe(expired, 0)
    cloud.signing.clock._clock = lambda: datetime.now(UTC)
    cloud.signing.clock.confirm()
    assert verifier.believe(cloud.signing.refresh("desk-pi"), 0).generation == 1


@pytest.mark.parametrize("synchronised", [True, False])
@pytest.mark.parametrize("ahead", [timedelta(days=40), timedelta(days=3 * 365)], ids=["40 days", "3 years"])
def test_a_shim_whose_clock_was_ahead_for_a_minute_locks_no_board_out(tmp_path, cloud, ref, ahead, synchronised):
    """From shim to board through the real verify process; only the clocks given as parameters move."""
    today = datetime(2026, 6, 1, tzinfo=UTC)
    (tmp_path / "board").mkdir()
    clocks = (today.timestamp, lambda: synchronised)

    def deployed(generation, moment):
        cloud.signing.clock._clock = lambda: moment
        # The shim would refuse to: an older one did not.
        cloud.signing.clock.confirm()
        document = cloud.desired(generation, ref)
        return Verifier(tmp_path / "board", "home", "desk-pi", cloud.roots, *clocks).believe(document, generation)

    assert deployed(1, today).generation == 1
    assert deployed(2, today + ahead).generation == 2
    assert deployed(3, today + timedelta(minutes=1)).generation == 3


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "expected a table"),
        (b"{}", "desired.format"),
        (b'{"format": 1, "director": {}, "image": {}, "deployment": ""}', "root"),
        (b'{"format": 2}', "reads format 1"),
        (b"[" * 100_000, "not JSON"),
        (b'{"format": 1, "more": 1}', "unknown key"),
    ],
)
def test_malformed_documents(verifier, document, words):
    with pytest.raises(UntrustedError, match=words):
        verifier.believe(document, 0)


def test_endless_data_is_refused_without_being_read(verifier, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    with pytest.raises(UntrustedError, match="too large"):
        verifier.believe(b" " * (1 << 20) + b"{}", 0)


def test_nothing_is_trusted_after_a_refusal(verifier, cloud, ref, tmp_path):
    verifier.believe(cloud.desired(1, ref), 0)
    before = (tmp_path / "state" / "trusted.json").read_bytes()
    with pytest.raises(UntrustedError):
        verifier.believe(cloud.desired(1, ref, device="hall-pi"), 0)
    assert (tmp_path / "state" / "trusted.json").read_bytes() == before
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["trusted.json"]


def test_damaged_trusted_metadata_does_not_block_for_ever(verifier, cloud, ref, tmp_path):
    (tmp_path / "state" / "trusted.json").write_bytes(b"\0" * 100)
    assert verifier.believe(cloud.desired(1, ref), 0).generation == 1


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os.abort()", "crashed"),
        ("import sys; sys.exit(3)", "crashed.*code 3"),
        ("raise ValueError('strange bytes')", "crashed.*strange bytes"),
        ("import time; time.sleep(1000)", "hung"),
        ("while True: pass", "hung"),
        ("pass", "no sensible answer"),
        ("print('garbage')", "no sensible answer"),
        ("print('[' * 100000)", "no sensible answer"),
        ("print('{\"ok\": true}')", "no sensible answer"),
        ("print('{\"ok\": 1}')", "no sensible answer"),
        ('print(\'{"ok": true, "deployment": "{}", "trusted": {}}\')', "no sensible answer"),
        ("print('x' * 9_000_000)", "no sensible answer"),
    ],
)
def test_a_verify_process_that_misbehaves_is_a_refusal(verifier, program, words, monkeypatch):
    real = subprocess.run

    def run(command, **more):
        return real([sys.executable, "-c", program], **more)

    monkeypatch.setattr("device.trust.verifier.subprocess.run", run)
    with pytest.raises(UntrustedError, match=words):
        verifier.believe(b"{}", 0, timeout=1.0 if words == "hung" else 60.0)


def test_a_verify_process_cannot_write_where_it_likes(verifier, cloud, ref, monkeypatch, tmp_path):
    answer = {
        "ok": True,
        "signer": [1, "key"],
        "deployment": cloud.deployment(1, ref).encode().decode(),
        "trusted": {"../slots.json": ""},
    }
    monkeypatch.setattr("device.trust.verifier._run", lambda *_: json.dumps(answer).encode())
    with pytest.raises(UntrustedError, match=r"slots\.json"):
        verifier.believe(b"{}", 0)
    assert not list((tmp_path / "state").iterdir())


def patched(cloud):
    """A release with a patch, and that patch."""
    base = cloud.release(function_files())
    made = cloud.release(function_files(body=b"def handler(event, context):\n    return 2\n"), bases=[base])
    return made, made.patches[0]


def test_a_document_with_patches_is_believed(verifier, cloud):
    made, patch = patched(cloud)
    (told,) = verifier.believe(cloud.desired(1, made), 0).functions["lamp"].patches
    assert (told.base, told.digest, told.length) == (patch.base, patch.digest, patch.length)


def test_patch_that_the_image_repository_does_not_list(verifier, cloud, monkeypatch):
    made, patch = patched(cloud)
    patch.base = "e" * 64
    monkeypatch.setattr(cloud.signing, "_check_released", lambda deployment: None)
    # An honest shim leaves out what is not signed.
    monkeypatch.setattr(Deployment, "with_patches", lambda self, targets: self)
    with pytest.raises(RefusedError, match=r"image repository does not list functions/lamp/2.from-e{16}.patch"):
        verifier.believe(cloud.desired(1, made), 0)


def test_patch_that_the_director_does_not_list(verifier, cloud):
    made, patch = patched(cloud)
    document = resigned(cloud, cloud.deployment(1, made), lambda targets: targets.pop(patch.target))
    with pytest.raises(RefusedError, match="director does not list"):
        verifier.believe(document, 0)


@pytest.mark.parametrize("change", [{"length": 999}, {"digest": "e" * 64}], ids=["length", "digest"])
def test_patch_of_other_bytes_than_were_released(verifier, cloud, monkeypatch, change):
    made, patch = patched(cloud)
    vars(patch).update(change)
    monkeypatch.setattr(cloud.signing, "_check_released", lambda deployment: None)
    with pytest.raises(RefusedError, match=r"image repository lists .* with another length or digest"):
        verifier.believe(cloud.desired(1, made), 0)
