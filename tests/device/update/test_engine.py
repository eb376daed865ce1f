"""The engine end to end: real signatures, the real verify process, real files; a dict as the broker."""

import errno
import json
import random
import shutil
import threading

import pytest

from device import durable
from device.artifact import bundle, inspection
from device.artifact import layer as layer_file
from device.errors import BadArtifactError, LamplightError, LeaseError
from device.launcher.line import Line, Told
from device.protocol import chunks
from device.update import slots
from device.update.agent.self_update import SelfUpdate
from device.update.store import RESERVE
from tests.device.harness import HANDLER, Cloud, Device, Health, function_files, model_files
from tests.support import until

pytestmark = pytest.mark.usefixtures("verified_here")

LAYER = """
[platform]
machine = "imaginary"
python = "3.1"
glibc = 0

[[packages]]
name = "colours"
version = "1"
sha256 = "%s"
""" % ("0" * 64)
BIG = {"data.bin": random.Random(1).randbytes(5 * chunks.CHUNK_SIZE)}


def code(number):
    return function_files(body=HANDLER % number)


def done(generation, state="COMMITTED"):
    return lambda status: (status.update, status.state) == (generation, state)


def running(device):
    (function,) = device.runner.generation.functions.values()
    return function.path.joinpath("main.py").read_bytes()


def test_a_new_board_runs_nothing_and_then_what_it_is_given(cloud, device):
    assert device.boot().number == 0
    assert device.engine.status().state == "IDLE"
    device.deploy(cloud.desired(1, cloud.release(code(1)), config={"threshold": 7}))
    assert device.states() == [(1, "VERIFIED"), (1, "FETCHING"), (1, "STAGED"), (1, "TRIAL"), (1, "COMMITTED")]
    function = device.runner.generation.functions["lamp"]
    assert function.config == {"threshold": 7}
    assert running(device) == HANDLER % 1
    assert device.link.subscribed == set()


def test_what_a_removed_function_kept_stays_while_the_board_can_go_back_to_it(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.engine.desired(cloud.desired(2))
    device.wait(done(2))
    until(lambda: device.runner.kept == {"lamp"}, "the state is kept")
    bell = cloud.pack(function_files("bell"), "function")
    device.engine.desired(cloud.desired(3, cloud.release_bytes("function", "bell", 1, bell)))
    device.wait(done(3))
    until(lambda: device.runner.kept == {"bell"}, "the state is let go")


def test_what_a_stricter_agent_would_not_take_runs_on_and_keeps_nothing_new_from_coming(cloud, device, monkeypatch):
    lamp, bell = cloud.release(code(1)), cloud.pack(function_files("bell"), "function")
    device.boot()
    device.deploy(cloud.desired(1, lamp))

    def stricter(folder):
        if bundle.declared(folder).name == "lamp":
            raise BadArtifactError("A lamp must be another now")

    monkeypatch.setattr(inspection, "inspect", stricter)
    assert device.restart().number == 1
    device.engine.desired(cloud.desired(2, lamp, cloud.release_bytes("function", "bell", 1, bell)))
    device.wait(done(2))
    assert set(device.runner.generation.functions) == {"bell", "lamp"}
    device.engine.desired(cloud.desired(3, cloud.release(code(2))))
    assert "A lamp must be another now" in device.wait(done(3, "REJECTED")).reason


def test_it_starts_offline_with_what_it_had(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.link.cut()
    assert device.restart().number == 1
    assert (device.engine.status().state, device.engine.status().generation) == ("COMMITTED", 1)


def test_going_back_fetches_nothing(cloud, device):
    device.boot()
    first, second = cloud.release(code(1)), cloud.release(code(2))
    device.deploy(cloud.desired(1, first))
    device.engine.desired(cloud.desired(2, second))
    assert device.wait(done(2)).previous == 1
    cloud.broker.clear()
    device.engine.desired(cloud.desired(3, first))
    assert device.wait(done(3)).previous == 2
    assert running(device) == HANDLER % 1


def test_a_large_artifact_comes_through_its_index(cloud, device):
    device.boot()
    status = device.deploy(cloud.desired(1, cloud.release({**code(1), **BIG})))
    assert status.bytes == status.total > 5 * chunks.CHUNK_SIZE
    device.engine.stop()
    assert list((device.folder / "blobs").iterdir()) == []


def test_only_what_is_missing_is_fetched(cloud, device):
    device.boot()
    model = cloud.release(model_files(), "model")
    device.deploy(cloud.desired(1, cloud.release({**code(1), **BIG}), model))
    small = cloud.release(code(2))
    device.engine.desired(cloud.desired(2, small, model))
    assert device.wait(done(2)).total == small.length


def test_a_download_survives_a_lost_connection(cloud, device):
    ref = cloud.release({**code(1), **BIG})
    withheld = {digest: cloud.broker.pop(digest) for digest in list(cloud.broker) if digest != ref.index}
    digest, data = withheld.popitem()
    cloud.broker[digest] = data
    device.boot()
    device.engine.desired(cloud.desired(1, ref))
    device.wait(lambda status: status.state == "FETCHING")
    device.link.cut()
    cloud.broker.update(withheld)
    device.link.restore()
    device.wait(done(1))


def test_a_download_goes_on_after_a_restart(cloud, device):
    ref = cloud.release({**code(1), **BIG})
    everything = dict(cloud.broker)
    kept = [digest for digest in everything if digest != ref.index][:3]
    for digest in set(everything) - {ref.index, *kept}:
        del cloud.broker[digest]
    document = cloud.desired(1, ref)
    device.boot()
    device.engine.desired(document)
    device.wait(lambda status: status.bytes >= len(kept) * chunks.CHUNK_SIZE - 1)
    device.restart()
    cloud.broker.clear()
    cloud.broker.update({digest: data for digest, data in everything.items() if digest not in {ref.index, *kept}})
    device.deploy(document)


def test_what_did_not_arrive_is_asked_for(cloud, device):
    ref = cloud.release(code(1))
    device.link.answers[ref.digest] = cloud.broker.pop(ref.digest)
    device.boot()
    device.deploy(cloud.desired(1, ref))
    assert device.link.wanted == [ref.digest]


def test_a_corrupt_chunk_is_asked_for_again(cloud, device):
    ref = cloud.release(code(1))
    device.link.answers[ref.digest] = cloud.broker[ref.digest]
    cloud.broker[ref.digest] = b"rotten"
    device.boot()
    device.deploy(cloud.desired(1, ref))
    assert device.link.wanted == [ref.digest]


def test_an_unsolicited_chunk_is_dropped(cloud, device):
    device.boot()
    device.engine.chunk(chunks.digest(b"x"), b"x")
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    assert not (device.folder / "blobs" / chunks.digest(b"x")).exists()


def test_a_lying_index_is_refused_and_nothing_changes(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    honest = cloud.release({**code(2), **BIG})
    other = chunks.digest(b"other")
    lie = chunks.encode_index([other] * chunks.count(honest.length))
    cloud.broker.update({chunks.digest(lie): lie, other: b"other"})
    honest.index = chunks.digest(lie)
    device.engine.desired(cloud.desired(2, honest))
    assert "index lists other bytes" in device.wait(done(2, "REJECTED")).reason
    assert (device.engine.status().generation, running(device)) == (1, HANDLER % 1)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (function_files(body=b"def handler(event, context:\n"), "main.py, line 1"),
        (function_files(body=b"x = 1\n"), "does not define 'handler'"),
        (function_files(extra='[[triggers]]\ntype = "moon"\n'), "unknown trigger 'moon'"),
        (function_files(extra='models = ["presence"]\n'), "uses the model 'presence'"),
        (function_files(name="other"), "calls itself 'other'"),
    ],
)
def test_a_bad_bundle_is_refused_and_nothing_changes(cloud, device, files, words):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.engine.desired(cloud.desired(2, cloud.release(files)))
    assert words in device.wait(done(2, "REJECTED")).reason
    assert (device.engine.status().generation, running(device)) == (1, HANDLER % 1)


def test_a_signed_archive_that_is_no_archive_is_refused(cloud, device):
    device.boot()
    device.engine.desired(cloud.desired(1, cloud.release_bytes("function", "lamp", 1, b"\x7fELF" * 500)))
    assert "no tar" in device.wait(done(1, "REJECTED")).reason


def test_a_misspelt_setting_is_refused(cloud, device):
    device.boot()
    device.engine.desired(cloud.desired(1, cloud.release(code(1)), config={"treshold": 3}))
    assert "no setting 'treshold'" in device.wait(done(1, "REJECTED")).reason


def test_what_the_runtime_refuses_is_not_switched_to(cloud, device):
    device.boot()
    device.runner.refuse = LeaseError("two functions drive the pin led")
    device.engine.desired(cloud.desired(1, cloud.release(code(1))))
    assert "drive the pin led" in device.wait(done(1, "REJECTED")).reason
    assert device.runner.generation.number == 0


def test_a_model_is_accepted_once_per_digest(cloud, device):
    device.boot()
    model, function = cloud.release(model_files(), "model"), cloud.release(code(1))
    device.deploy(cloud.desired(1, function, model))
    device.restart()
    device.engine.desired(cloud.desired(2, cloud.release(code(2)), model))
    device.wait(done(2))
    assert device.accepted == [model.digest]


def test_a_model_that_fails_its_acceptance_is_refused(cloud, device):
    device.boot()
    model = cloud.release(model_files(), "model")
    device.refused_models[model.digest] = BadArtifactError("golden vector 3 is off by 0.2")
    device.engine.desired(cloud.desired(1, model))
    assert "golden vector 3" in device.wait(done(1, "REJECTED")).reason


def test_no_room_is_said_before_the_first_byte(cloud, device, monkeypatch):
    device.boot()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 30, 1 << 30, 1000))
    device.engine.desired(cloud.desired(1, cloud.release(code(1))))
    assert "no room" in device.wait(done(1, "REJECTED")).reason
    assert list((device.folder / "blobs").iterdir()) == []


def test_a_crash_loop_reverts_and_is_not_tried_again(cloud, device):
    device.boot()
    good, bad = cloud.release(code(1)), cloud.release(code(2))
    device.deploy(cloud.desired(1, good))
    device.runner.counters[2] = Health(state="backoff", crashes=3, last_error="boom")
    device.engine.desired(cloud.desired(2, bad, seconds=3600))
    status = device.wait(done(2, "REVERTED"))
    assert "lamp: crashed 3 times in its trial: boom" in status.reason
    assert (status.generation, running(device)) == (1, HANDLER % 1)
    assert status.failed == {2: status.reason}
    device.engine.desired(cloud.desired(3, bad))
    assert "failed as generation 2" in device.wait(done(3, "REJECTED")).reason
    device.restart()
    assert device.engine.status().failed == {2: status.reason}
    device.engine.desired(cloud.desired(4, good))
    device.wait(done(4))


def test_a_switch_that_fails_reverts(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.runner.break_on[2] = LamplightError("the worker did not start")
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    assert "did not start" in device.wait(done(2, "REVERTED")).reason
    assert (device.engine.status().generation, device.runner.generation.number) == (1, 1)


def test_a_stuck_download_is_replaced_by_a_newer_deployment(cloud, device):
    device.boot()
    stuck = cloud.release(code(1))
    del cloud.broker[stuck.digest]
    device.engine.desired(cloud.desired(1, stuck))
    device.wait(done(1, "FETCHING"))
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    device.wait(done(2))
    assert device.link.subscribed == set()


def test_a_deployment_in_trial_is_replaced_by_a_newer_one(cloud, device):
    device.boot()
    device.engine.desired(cloud.desired(1, cloud.release(code(1)), seconds=3600))
    device.wait(done(1, "TRIAL"))
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    assert device.wait(done(2)).previous == 0


def test_the_same_content_under_a_new_number_is_committed_at_once(cloud, device):
    device.boot()
    ref = cloud.release(code(1))
    device.deploy(cloud.desired(1, ref))
    device.engine.desired(cloud.desired(2, ref, seconds=3600, events=3))
    device.wait(done(2))


def test_rubbish_does_not_disturb_a_trial(cloud, device):
    device.boot()
    device.engine.desired(cloud.desired(1, cloud.release(code(1)), seconds=3600))
    device.wait(done(1, "TRIAL"))
    device.engine.desired(b"rubbish")
    device.wait(lambda _: (0, "REJECTED") in device.states())
    assert device.engine.status().state == "TRIAL"


def test_a_refused_document_is_reported_under_the_generation_it_claims(cloud, device, tmp_path):
    (tmp_path / "stranger").mkdir()
    stranger = Cloud(tmp_path / "stranger")
    device.boot()
    device.engine.desired(stranger.desired(9, stranger.release(code(1))))
    assert "director" in device.wait(done(9, "REJECTED")).reason


def test_an_old_document_played_again_changes_nothing(cloud, device):
    device.boot()
    old = cloud.desired(1, cloud.release(code(1)))
    device.deploy(old)
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    device.wait(done(2))
    device.engine.desired(old)
    device.wait(done(1, "REJECTED"))
    assert (device.engine.status().generation, running(device)) == (2, HANDLER % 2)


def test_the_same_document_again_changes_nothing(cloud, device):
    document = cloud.desired(1, cloud.release(code(1)))
    device.boot()
    device.deploy(document)
    before = device.states()
    device.engine.desired(document)
    device.restart()
    device.deploy(document)
    assert device.states() == before


def test_a_trial_goes_on_after_a_restart_and_is_reverted_when_the_agent_keeps_dying(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.engine.desired(cloud.desired(2, cloud.release(code(2)), seconds=3600))
    device.wait(done(2, "TRIAL"))
    for _ in range(slots.STARTS - 1):
        assert device.restart().number == 2
        assert device.engine.status().state == "TRIAL"
    assert device.restart().number == 1
    status = device.engine.status()
    assert (status.update, status.state) == (2, "REVERTED")
    assert "did not survive" in status.reason


def test_a_tree_damaged_on_disk_falls_back_to_the_previous_and_is_fetched_again(cloud, device):
    device.boot()
    first, second = cloud.release(code(1)), cloud.release(code(2))
    device.deploy(cloud.desired(1, first))
    document = cloud.desired(2, second)
    device.engine.desired(document)
    device.wait(done(2))
    (device.folder / "trees" / second.digest / "main.py").write_bytes(b"bit rot")
    assert device.restart().number == 1
    device.engine.desired(document)
    device.wait(done(2))
    assert running(device) == HANDLER % 2


def test_a_generation_that_does_not_start_at_boot_is_passed_over_only_this_time(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    device.wait(done(2))
    device.runner.break_on[2] = LamplightError("the bus is busy")
    assert device.restart().number == 1
    device.runner.break_on.clear()
    assert device.restart().number == 2


def two(cloud, number=1, second=1):
    """A lamp and a bell, each of this release."""
    bell = cloud.pack(function_files("bell", HANDLER % (10 + second)), "function")
    return cloud.release(code(number)), cloud.release_bytes("function", "bell", second, bell)


def test_a_function_damaged_on_disk_keeps_only_itself_back_and_is_fetched_again(cloud, device):
    lamp, bell = two(cloud)
    document = cloud.desired(1, lamp, bell)
    device.boot()
    device.deploy(document)
    (device.folder / "trees" / lamp.digest / "main.py").write_bytes(b"bit rot")
    generation = device.restart()
    assert (generation.number, set(generation.functions)) == (1, {"bell"})
    assert "damaged on disk" in generation.held["lamp"].reason
    assert (device.engine.status().state, device.engine.status().generation) == ("COMMITTED", 1)
    device.engine.desired(document)
    until(lambda: set(device.runner.generation.functions) == {"lamp", "bell"}, "the lamp is back")
    assert device.wait(done(1)).previous == 0


@pytest.mark.parametrize("change", ["the function itself", "another one"])
def test_a_function_that_cannot_start_any_more_blocks_no_other(cloud, device, change):
    lamp, bell = two(cloud)
    device.boot()
    device.deploy(cloud.desired(1, lamp, bell))
    device.runner.unfit["lamp"] = "the board has no pin led"
    assert set(device.restart().functions) == {"bell"}
    if change == "another one":
        _, bell = two(cloud, second=2)
    else:
        lamp = cloud.release(code(2))
    device.engine.desired(cloud.desired(2, lamp, bell))
    device.wait(done(2))
    held = {"lamp"} if change == "another one" else set()
    assert set(device.runner.generation.held) == held
    assert set(device.runner.generation.functions) == {"lamp", "bell"} - held


def test_what_was_missing_is_tried_again_at_the_next_deployment(cloud, device):
    lamp, bell = two(cloud)
    device.boot()
    device.deploy(cloud.desired(1, lamp, bell))
    device.runner.unfit["lamp"] = "the board has no pin led"
    device.restart()
    device.runner.unfit.clear()
    device.engine.desired(cloud.desired(2, lamp))
    device.wait(done(2))
    assert set(device.runner.generation.functions) == {"lamp"}


def test_a_layer_for_another_python_keeps_only_its_function_back(cloud, device, monkeypatch):
    lamp, bell = two(cloud)
    files = {"layer.toml": LAYER.encode(), "site/colours.py": b"NAME = 'red'"}
    layer = cloud.release_bytes("layer", "imaginary-py31", 1, cloud.pack(files, "layer"))
    with_layer = cloud.deployment(1, lamp, bell).replace(layers={"lamp": layer})
    monkeypatch.setattr(layer_file, "check", lambda manifest: None)
    device.boot()
    device.deploy(cloud.signing.desired(with_layer))
    monkeypatch.undo()
    generation = device.restart()
    assert set(generation.functions) == {"bell"}
    assert "Python 3.1" in generation.held["lamp"].reason
    _, bell = two(cloud, second=2)
    after = cloud.deployment(2, lamp, bell).replace(layers={"lamp": layer})
    device.engine.desired(cloud.signing.desired(after))
    device.wait(done(2))
    assert set(device.runner.generation.functions) == {"bell"}


def test_a_new_function_that_does_not_fit_is_refused_and_named(cloud, device):
    lamp, _ = two(cloud)
    device.boot()
    device.deploy(cloud.desired(1, lamp))
    broken = cloud.pack(
        {"function.toml": b'name = "bell"\nhandler = "main:nope"\n', "main.py": HANDLER % 1}, "function"
    )
    device.engine.desired(cloud.desired(2, lamp, cloud.release_bytes("function", "bell", 2, broken)))
    assert device.wait(done(2, "REJECTED")).part == "functions/bell"


def test_a_return_to_what_runs_restarts_nothing_and_keeps_what_there_is_to_go_back_to(cloud, device):
    first, second = cloud.release(code(1)), cloud.release(code(2))
    device.boot()
    device.deploy(cloud.desired(1, first))
    device.engine.desired(cloud.desired(2, second))
    device.wait(done(2))
    device.engine.desired(cloud.desired(4, second))
    assert device.wait(done(4)).previous == 1


def test_a_forged_document_about_what_is_on_trial_says_nothing_of_it(cloud, device):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    document = cloud.desired(2, cloud.release(code(2)), seconds=3600)
    device.engine.desired(document)
    device.wait(done(2, "TRIAL"))
    device.engine.desired(document.replace(b"signatures", b"signatores"))
    until(lambda: (0, "REJECTED") in device.states(), "the forged one is refused")
    assert (2, "REJECTED") not in device.states()


def test_a_damaged_slots_file_starts_with_nothing_and_can_be_deployed_to(cloud, device):
    device.boot()
    document = cloud.desired(1, cloud.release(code(1)))
    device.deploy(document)
    (device.folder / "slots.json").write_bytes(b'{"format": 1')
    assert device.restart().number == 0
    assert any("damaged" in event.reason for event in device.events)
    device.deploy(document)
    assert json.loads((device.folder / "slots.json").read_bytes())["active"]["generation"] == 1


def test_a_disk_that_does_not_give_the_slots_leaves_a_board_in_safe_mode_that_can_be_deployed_to(
    cloud, device, monkeypatch
):
    device.boot()
    ref = cloud.release(code(1))
    device.deploy(cloud.desired(1, ref))
    device.engine.stop()

    def bad_sector(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(slots, "load", bad_sector)
    with pytest.raises(OSError):
        device.boot(start=False)
    launcher = Line(None)
    launcher.told = Told(safe="safe mode")
    monkeypatch.setattr(launcher, "begin_afresh", lambda: setattr(launcher, "told", Told()))
    device.own = lambda: SelfUpdate(device.folder / "runtime", launcher, lambda: None)
    assert device.boot().number == 0
    assert "Input/output error" in device.events[-1].reason
    device.deploy(cloud.desired(2, ref))
    monkeypatch.undo()
    assert device.restart().number == 2


@pytest.mark.parametrize("step", ["Store.write", "Store.verify", "Store.collect", "Store.unpack", "archive.unpack"])
def test_a_disk_that_fails_refuses_this_deployment_and_takes_the_next(cloud, device, monkeypatch, step):
    device.boot()

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(f"device.update.store.{step}", fail)
        device.engine.desired(cloud.desired(1, cloud.release(code(1))))
        assert "No space left" in device.wait(done(1, "REJECTED")).reason
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    device.wait(done(2))


def test_without_room_for_all_of_it_not_one_byte_is_asked_for(cloud, device, monkeypatch):
    device.boot()
    ref = cloud.release({**code(1), **BIG})
    # Room for the artifact, but not for what it is unpacked to.
    room = shutil._ntuple_diskusage(1 << 40, 1 << 40, RESERVE + ref.length + 1)
    with monkeypatch.context() as small:
        small.setattr(shutil, "disk_usage", lambda path: room)
        device.engine.desired(cloud.desired(1, ref))
        assert "no room" in device.wait(done(1, "REJECTED")).reason
    assert (device.link.asked, device.litter()) == ([], [])
    device.deploy(cloud.desired(2, ref))


def test_a_disk_that_fills_up_in_the_middle_of_a_download_takes_the_next_deployment(cloud, device, monkeypatch):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    room = 3 * chunks.CHUNK_SIZE

    class Small(durable.Disk):
        def write_at(self, path, offset, data):
            nonlocal room
            room -= len(data)
            if room < 0:
                raise OSError(28, "No space left on device")
            super().write_at(path, offset, data)

    with monkeypatch.context() as filling:
        filling.setattr(durable, "disk", Small())
        device.engine.desired(cloud.desired(2, cloud.release({**code(2), **BIG})))
        assert "No space left" in device.wait(done(2, "REJECTED")).reason
        assert running(device) == HANDLER % 1
        assert device.link.subscribed == set()
    device.engine.desired(cloud.desired(3, cloud.release(code(3))))
    device.wait(done(3))
    device.wait(lambda _: device.litter() == [])


def test_a_disk_that_fails_at_the_switch_leaves_what_runs(cloud, device, monkeypatch):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    real = slots.save

    def save(path, state):
        if state.trial is not None:
            raise OSError(28, "No space left on device")
        real(path, state)

    with monkeypatch.context() as failing:
        failing.setattr(slots, "save", save)
        device.engine.desired(cloud.desired(2, cloud.release(code(2))))
        assert "No space left" in device.wait(done(2, "REJECTED")).reason
    assert (device.engine.status().generation, running(device)) == (1, HANDLER % 1)
    assert device.restart().number == 1


def test_a_trial_that_cannot_be_written_down_is_written_down_later(cloud, device, monkeypatch):
    device.boot()
    real = slots.save

    def save(path, state):
        if state.active is not None:
            raise OSError(28, "No space left on device")
        real(path, state)

    with monkeypatch.context() as failing:
        failing.setattr(slots, "save", save)
        device.engine.desired(cloud.desired(1, cloud.release(code(1))))
        device.wait(lambda _: any("No space left" in event.reason for event in device.events))
    device.wait(done(1))
    assert sum("No space left" in event.reason for event in device.events) == 1


def test_stopping_what_was_never_started_is_no_error(cloud, tmp_path):
    made = Device(tmp_path / "unstarted", cloud)
    made.boot(start=False)
    made.engine.stop()


def test_two_devices_of_one_cloud_do_not_take_each_others_documents(cloud, device, tmp_path):
    device.boot()
    other = Device(tmp_path / "other", cloud, "hall-pi")
    other.boot()
    document = cloud.desired(1, cloud.release(code(1)), device="hall-pi")
    device.engine.desired(document)
    assert "is for home/hall-pi" in device.wait(done(1, "REJECTED")).reason
    other.deploy(document)
    other.engine.stop()


def test_a_switch_that_fails_because_the_agent_is_ending_is_no_failure_of_the_generation(cloud, device, monkeypatch):
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    switch = device.runner.switch
    ended = threading.Event()

    def ending(generation):
        stop = threading.Thread(target=device.engine.stop)
        stop.start()
        while not device.engine._installed._closing:
            pass
        ended.set()
        raise LamplightError("there is no zygote any more")

    monkeypatch.setattr(device.runner, "switch", ending)
    device.engine.desired(cloud.desired(2, cloud.release(code(2))))
    assert ended.wait(60)
    monkeypatch.setattr(device.runner, "switch", switch)
    device.restart()
    device.wait(done(2))
    assert device.engine.status().failed == {}
