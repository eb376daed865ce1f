"""A patch is taken where it can be, and whatever is wrong with it, the whole artifact comes instead.

Through the engine end to end: real signatures, the real verify process, real files; a dict as the broker.
"""

import random
import shutil

import pytest
import zstandard

from device.artifact import patch
from device.artifact.patch import MAX_LENGTH
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef, Patch
from device.update.fetching import download, patched
from tests.device.harness import HANDLER, function_files, model_files
from tests.support import until

pytestmark = pytest.mark.usefixtures("verified_here")

NOISE = random.Random(1).randbytes(3 * chunks.CHUNK_SIZE)
MORE = random.Random(2).randbytes(2 * chunks.CHUNK_SIZE)
NEW = HANDLER % 2


def files(number, **more):
    return {**function_files(body=HANDLER % number), "data.bin": NOISE, **more}


def committed(generation):
    return lambda status: (status.update, status.state) == (generation, "COMMITTED")


def code(device):
    return device.runner.generation.functions["lamp"].path.joinpath("main.py").read_bytes()


def asked(device, ref):
    """Whether the device has asked for any chunk of the artifact or patch."""
    wanted = {ref.index} if ref.index else {ref.digest}
    return bool(wanted & set(device.link.asked))


@pytest.fixture
def first(cloud, device):
    """What runs before."""
    ref = cloud.release(files(1))
    device.boot()
    device.deploy(cloud.desired(1, ref))
    return ref


def update(cloud, device, ref):
    """Deploy it as generation 2; gives the status when it is committed."""
    device.engine.desired(cloud.desired(2, ref))
    status = device.wait(committed(2))
    assert code(device) == NEW
    return status


def test_only_the_patch_travels(cloud, device, first):
    second = cloud.release(files(2), bases=[first])
    status = update(cloud, device, second)
    assert status.bytes == status.total == second.patches[0].length < 100
    assert status.whole == second.length > 3 * chunks.CHUNK_SIZE
    assert asked(device, second.patches[0])
    assert not asked(device, second)


def test_a_patch_of_several_chunks_is_fetched_through_its_index(cloud, device, first):
    second = cloud.release(files(2, more=MORE), bases=[first])
    assert second.patches[0].index
    assert update(cloud, device, second).total == second.patches[0].length
    device.engine.stop()
    assert device.litter() == []


def test_the_shortest_of_the_patches_that_fit_is_taken(cloud, device, first):
    second = cloud.release(files(2, more=MORE), bases=[first])
    device.engine.desired(cloud.desired(2, second))
    device.wait(committed(2))
    third = cloud.release(files(3, more=MORE), bases=[first, second])
    device.engine.desired(cloud.desired(3, third))
    assert device.wait(committed(3)).total == third.patches[1].length < third.patches[0].length


def test_a_patch_for_a_model_is_taken_and_the_model_is_accepted_anew(cloud, device):
    device.boot()
    one = cloud.release(model_files(onnx=NOISE), "model")
    device.deploy(cloud.desired(1, one))
    two = cloud.release(model_files(onnx=NOISE + b"retrained"), "model", bases=[one])
    device.engine.desired(cloud.desired(2, two))
    assert device.wait(committed(2)).total == two.patches[0].length
    assert device.accepted == [one.digest, two.digest]


def test_patched_and_whole_artifacts_come_in_one_deployment(cloud, device, first):
    second, model = cloud.release(files(2), bases=[first]), cloud.release(model_files(), "model")
    device.engine.desired(cloud.desired(2, second, model))
    status = device.wait(committed(2))
    assert status.total == second.patches[0].length + model.length
    assert status.whole == second.length + model.length


def test_a_fetched_patch_survives_a_restart(cloud, device, first):
    second = cloud.release(files(2, more=MORE), bases=[first])
    made = second.patches[0]
    last = chunks.decode_index(cloud.broker[made.index], made.length)[-1]
    held = cloud.broker.pop(last)
    document = cloud.desired(2, second)
    device.engine.desired(document)
    device.wait(lambda status: status.state == "FETCHING" and device.link.subscribed == {last})
    cloud.broker[last] = held
    device.link.asked.clear()
    device.restart()
    device.engine.desired(document)
    device.wait(committed(2))
    assert device.link.asked == [last]


def test_the_base_is_kept_while_the_patch_is_fetched_though_no_slot_needs_it_any_more(cloud, device, first):
    now = [0.0]
    device.clock = lambda: now[0]
    device.restart()
    device.engine.desired(cloud.desired(2, cloud.release(files(2))))
    device.wait(committed(2))
    device.engine.desired(cloud.desired(3, cloud.release(files(3)), seconds=0.5))
    device.wait(lambda status: status.state == "TRIAL")
    fourth = cloud.release(files(4), bases=[first])
    (made,) = fourth.patches
    held = cloud.broker.pop(made.digest)
    device.engine.desired(cloud.desired(4, fourth))
    # The trial of 3 ends when the fetch for 4 has begun, and not before.
    until(lambda: made.digest in device.link.asked, "the patch is asked for")
    now[0] += 1.0
    device.wait(lambda status: status.update == 4 and (3, "COMMITTED") in device.states())
    cloud.broker[made.digest] = held
    device.link.restore()
    assert device.wait(committed(4)).total == made.length


# What is wrong with a patch, or with what it starts from


def hostile(name, base, new):
    """The bytes of a patch from `base` to `new` that something is wrong with."""
    good = patch.make(base, new)
    other = new.replace(b"lamp", b"damp")
    return {
        "bomb": zstandard.ZstdCompressor().compress(bytes(64 << 20)),
        "garbage": random.Random(9).randbytes(5000),
        "truncated": good[:-1],
        "trailing bytes": good + b"\0",
        "makes other bytes of the right length": patch.make(base, other),
        "for another base": patch.make(base[1000:] + base[:1000], new),
        "makes a longer one": patch.make(base, new + bytes(512)),
        "garbage of several chunks": random.Random(9).randbytes(2 * chunks.CHUNK_SIZE),
    }[name]


@pytest.mark.parametrize(
    "attack",
    [
        "bomb",
        "garbage",
        "truncated",
        "trailing bytes",
        "makes other bytes of the right length",
        "for another base",
        "makes a longer one",
        "garbage of several chunks",
    ],
)
def test_hostile_patch_brings_the_whole_artifact(cloud, device, first, attack):
    new = cloud.pack(files(2))
    evil = hostile(attack, cloud.artifacts[first.digest], new)
    second = cloud.release_bytes("function", "lamp", 2, new, [(first, evil)])
    status = update(cloud, device, second)
    assert status.total == status.whole == second.length
    assert asked(device, second.patches[0])
    assert asked(device, second)
    told = [event.reason for event in device.events if event.update == 2 and event.state == "FETCHING"]
    assert "The patch for lamp v2 is of no use" in told[-1]
    assert "REJECTED" not in [state for _, state in device.states()]
    device.engine.stop()
    assert device.litter() == []


def test_index_of_a_patch_that_lies_brings_the_whole_artifact(cloud, device, first):
    second = cloud.release(files(2, more=MORE), bases=[first])
    good = second.patches[0]
    lie = chunks.encode_index([chunks.digest(b"lie")] * chunks.count(good.length))
    cloud.broker |= {chunks.digest(lie): lie, chunks.digest(b"lie"): b"lie"}
    bad = Patch(good.kind, good.name, good.version, good.base, good.digest, good.length, chunks.digest(lie))
    second.patches = (bad,)
    assert update(cloud, device, second).total == second.length


@pytest.mark.parametrize("damage", ["missing file", "changed byte", "added file", "empty tree"])
def test_damaged_base_brings_the_whole_artifact(cloud, device, first, damage):
    tree = device.folder / "trees" / first.digest
    match damage:
        case "missing file":
            (tree / "data.bin").unlink()
        case "changed byte":
            (tree / "data.bin").write_bytes(b"x" + NOISE[1:])
        case "added file":
            (tree / "more.py").write_bytes(b"")
        case _:
            shutil.rmtree(tree)
            tree.mkdir()
    second = cloud.release(files(2), bases=[first])
    assert update(cloud, device, second).total == second.length


def test_missing_base_brings_the_whole_artifact_and_no_patch(cloud, device, first):
    second = cloud.release(files(2), bases=[cloud.release(files(7))])
    assert update(cloud, device, second).total == second.length
    assert not asked(device, second.patches[0])


def test_a_board_without_the_library_takes_whole_artifacts(cloud, device, first, monkeypatch):
    monkeypatch.setattr(patch, "available", lambda: False)
    second = cloud.release(files(2), bases=[first])
    assert update(cloud, device, second).total == second.length
    assert not asked(device, second.patches[0])


def test_a_patch_that_does_not_come_brings_the_whole_artifact_with_nobody_else_there(cloud, device, first, monkeypatch):
    """The broker has lost it, and no shim answers a `want`."""
    monkeypatch.setattr(download, "FIRST_WAIT", 0.05)
    second = cloud.release(files(2), bases=[first])
    del cloud.broker[second.patches[0].digest]
    assert update(cloud, device, second).total == second.length
    assert device.link.asked.count(second.patches[0].digest) == 1 + download.PATCH_TRIES
    assert any("does not come" in event.reason for event in device.events)


def test_without_a_link_a_patch_is_not_given_up(cloud, device, first, monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.01)
    second = cloud.release(files(2), bases=[first])
    device.link.cut()
    device.engine.desired(cloud.desired(2, second))
    until(lambda: len(device.link.wanted) > 2 * download.PATCH_TRIES, "it was asked for in vain for long")
    device.link.restore()
    device.wait(committed(2))
    assert not asked(device, second)


def test_one_bad_patch_of_two_brings_one_whole_artifact(cloud, device, first):
    model = cloud.release(model_files(onnx=NOISE), "model")
    device.engine.desired(cloud.desired(2, first, model))
    device.wait(committed(2))
    second = cloud.release_bytes("function", "lamp", 2, cloud.pack(files(2)), [(first, b"garbage")])
    retrained = cloud.release(model_files(onnx=NOISE + b"!"), "model", bases=[model])
    device.engine.desired(cloud.desired(3, second, retrained))
    device.wait(committed(3))
    assert code(device) == NEW
    assert asked(device, second)


def test_what_came_of_the_whole_artifact_survives_a_restart_though_the_patch_is_tried_again(cloud, device, first):
    second = cloud.release_bytes("function", "lamp", 2, cloud.pack(files(2)), [(first, b"garbage")])
    last = chunks.decode_index(cloud.broker[second.index], second.length)[-1]
    held = cloud.broker.pop(last)
    document = cloud.desired(2, second)
    device.engine.desired(document)
    device.wait(lambda status: status.total == second.length and device.link.subscribed == {last})
    cloud.broker[last] = held
    device.link.asked.clear()
    device.restart()
    device.engine.desired(document)
    device.wait(committed(2))
    assert device.link.asked == [last]


# The choice


def ref(*patches, length=1000, digest="a"):
    made = tuple(Patch("function", "lamp", 2, base * 64, base * 64, size, "") for base, size in patches)
    return ArtifactRef("function", "lamp", 2, digest * 64, length, "", made)


@pytest.mark.parametrize(
    ("missing", "chosen"),
    [
        (ref(), ""),
        (ref(("1", 100)), "1"),
        (ref(("1", 100), ("2", 99)), "2"),
        (ref(("3", 1)), ""),
        (ref(("1", 1000)), ""),
        (ref(("1", 100), length=MAX_LENGTH), "1"),
        (ref(("1", 100), length=MAX_LENGTH + 1), ""),
    ],
    ids=["none", "one", "shortest", "base-not-here", "no-shorter", "longest", "too-long"],
)
def test_the_choice(missing, chosen):
    made = patched.choose([missing, missing], {"1" * 64, "2" * 64})
    assert [each.digest for each in made.fetched] == [chosen * 64 if chosen else missing.digest]
    assert made.bases() == ({chosen * 64} if chosen else set())
    assert made.length == missing.length
