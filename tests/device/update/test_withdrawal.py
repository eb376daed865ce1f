"""A withdrawn release on a board, through the real verification, files and engine: the attacks, and what stops."""

import json

import pytest

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.trust import release_metadata
from cloud_shim.trust.signing import _IMAGE, Signing
from device.doctor import state
from device.protocol import withdrawn
from device.protocol.withdrawn import Withdrawal
from device.trust.verifier import Verifier
from tests.device.harness import HANDLER, Health, function_files
from tests.support import every_release

pytestmark = pytest.mark.usefixtures("verified_here")


def code(number):
    return function_files(body=HANDLER % number)


def done(generation, state="COMMITTED"):
    return lambda status: (status.update, status.state) == (generation, state)


def withdrawal(version, name="lamp", **more):
    return Withdrawal("function", name, version, more.pop("older", False), "it burns the lamp", 1, **more)


def held(device):
    return {name: each.reason for name, each in device.runner.generation.held.items()}


@pytest.fixture
def bell(cloud):
    return cloud.release_bytes("function", "bell", 1, cloud.pack(function_files("bell"), "function"))


@pytest.fixture
def lamp(cloud, device, bell):
    """The board runs lamp v1 and bell v1, as generation 1."""
    ref = cloud.release(code(1))
    device.boot()
    device.deploy(cloud.desired(1, ref, bell))
    return ref


def learn(cloud, device, *refs, generation=1, seconds=0.0, **more):
    """The board is told that lamp v1 was withdrawn, by the same deployment signed anew."""
    cloud.signing.withdraw(withdrawal(1, **more))
    device.engine.desired(cloud.desired(generation, *refs, seconds=seconds))
    device.wait(lambda _: device.engine.withdrawn() == 1)


def test_it_stops_where_it_runs_and_the_others_run_on(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell)
    device.wait(lambda _: held(device) != {})
    assert set(device.runner.generation.functions) == {"bell"}
    assert "The function lamp version 1 was withdrawn. it burns the lamp" in held(device)["lamp"]


def test_it_stays_stopped_offline_after_a_restart(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell)
    device.link.cut()
    generation = device.restart()
    assert (set(generation.functions), set(generation.held)) == ({"bell"}, {"lamp"})


def test_a_board_that_runs_nothing_else_does_not_go_back_to_what_ran_before(cloud, device):
    first, second = cloud.release(code(1)), cloud.release(code(2))
    device.boot()
    device.deploy(cloud.desired(1, first))
    device.engine.desired(cloud.desired(2, second))
    device.wait(done(2))
    cloud.signing.withdraw(withdrawal(2))
    device.engine.desired(cloud.desired(2, second))
    device.wait(lambda _: held(device) != {})
    assert device.restart().number == 2
    assert device.runner.generation.functions == {}


@pytest.mark.parametrize("older", [False, True])
def test_one_that_is_not_installed_is_refused_and_the_reason_names_the_withdrawal(cloud, device, lamp, bell, older):
    second = cloud.release(code(2))
    cloud.signing.withdraw(withdrawal(2 + older, older=older))
    device.engine.desired(cloud.desired(2, second, bell))
    status = device.wait(done(2, "REJECTED"))
    assert "lamp version 2 was withdrawn. it burns the lamp" in status.reason
    assert (status.part, status.generation) == ("functions/lamp", 1)


def test_it_is_not_gone_back_to_on_a_revert(cloud, device, lamp, bell):
    second = cloud.release(code(2))
    cloud.signing.withdraw(withdrawal(1))
    device.runner.counters[2] = Health(state="backoff", crashes=3, last_error="boom")
    device.engine.desired(cloud.desired(2, second, bell))
    device.wait(done(2, "REVERTED"))
    assert (set(device.runner.generation.functions), set(held(device))) == ({"bell"}, {"lamp"})


def test_a_trial_of_it_ends_at_once(cloud, device, lamp, bell):
    second = cloud.release(code(2))
    device.engine.desired(cloud.desired(2, second, bell, seconds=3600))
    device.wait(done(2, "TRIAL"))
    cloud.signing.withdraw(withdrawal(2))
    device.engine.desired(cloud.desired(2, second, bell, seconds=3600))
    device.wait(lambda status: status.update == 2 and "withdrawn" in status.reason)
    assert device.runner.generation.functions["lamp"].version == 1


def test_a_trial_of_another_function_goes_on_without_it(cloud, device, lamp, bell):
    other = cloud.release_bytes("function", "bell", 2, cloud.pack(function_files("bell", HANDLER % 9), "function"))
    device.engine.desired(cloud.desired(2, lamp, other, seconds=3600))
    device.wait(done(2, "TRIAL"))
    learn(cloud, device, lamp, other, generation=2, seconds=3600)
    device.wait(lambda _: held(device) != {})
    assert device.engine.status().state == "TRIAL"
    assert device.runner.generation.functions["bell"].version == 2


def test_killed_before_the_trial_of_it_was_ended_the_board_ends_it_at_its_start(cloud, device, lamp, bell, monkeypatch):
    second = cloud.release(code(2))
    device.engine.desired(cloud.desired(2, second, bell, seconds=3600))
    device.wait(done(2, "TRIAL"))
    cloud.signing.withdraw(withdrawal(2))
    monkeypatch.setattr(device.engine, "_heed", lambda before: None)
    device.engine.desired(cloud.desired(2, second, bell, seconds=3600))
    device.wait(lambda _: device.engine.withdrawn() == 1)
    assert device.restart().functions["lamp"].version == 1


def test_other_functions_are_deployed_while_it_stays_stopped(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell)
    gong = cloud.release_bytes("function", "gong", 1, cloud.pack(function_files("gong"), "function"))
    device.engine.desired(cloud.desired(2, lamp, bell, gong))
    device.wait(done(2))
    assert (set(device.runner.generation.functions), set(held(device))) == ({"bell", "gong"}, {"lamp"})


def test_one_that_may_run_on_runs_on_and_is_never_installed_again(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell, lets_run=True)
    assert set(device.restart().functions) == {"bell", "lamp"}
    device.engine.desired(cloud.desired(2, cloud.release(code(2)), bell))
    device.wait(done(2))
    device.engine.desired(cloud.desired(3, lamp, bell))
    assert "withdrawn" in device.wait(done(3, "REJECTED")).reason


def test_one_that_may_run_on_runs_again_when_its_replacement_fails(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell, lets_run=True)
    device.runner.counters[2] = Health(state="backoff", crashes=3, last_error="boom")
    device.engine.desired(cloud.desired(2, cloud.release(code(2)), bell))
    device.wait(done(2, "REVERTED"))
    assert device.runner.generation.functions["lamp"].version == 1


@pytest.mark.parametrize("kind", ["model", "layer", "agent"])
def test_a_model_a_layer_and_an_agent_are_refused_too(cloud, device, lamp, bell, kind):
    ref = cloud.release_bytes(kind, "lamplight", 4, b"anything")
    cloud.signing.withdraw(Withdrawal(kind, "lamplight", 4, False, "poisoned", 1))
    asked = cloud.deployment(2, lamp, bell)
    change = {"model": {"models": {"lamplight": ref}}, "layer": {"layers": {"lamp": ref}}, "agent": {"agent": ref}}
    device.engine.desired(cloud.signing.desired(asked.replace(**change[kind])))
    assert "lamplight version 4 was withdrawn. poisoned" in device.wait(done(2, "REJECTED")).reason


def test_older_metadata_does_not_take_a_withdrawal_back(cloud, device, lamp, bell):
    before = cloud.desired(2, lamp, bell)
    learn(cloud, device, lamp, bell, generation=2)
    device.wait(lambda _: held(device) != {})
    device.engine.desired(before)
    device.wait(lambda _: (0, "REJECTED") in device.states())
    device.restart()
    assert (device.engine.withdrawn(), set(held(device))) == (1, {"lamp"})


def test_a_thief_of_the_shim_without_the_keys_takes_no_withdrawal_back(tmp_path, cloud, device, lamp, bell):
    keys = ReleaseKeys(tmp_path / "keys", cloud.signing.image())
    before = json.loads(json.dumps(cloud.signing.image()))
    cloud.signing.adopt(keys.take(cloud.signing.image(), every_release(cloud.signing.image())))
    taken = json.loads(json.dumps(cloud.signing.image()))
    cloud.signing.adopt(keys.withdraw(cloud.signing.image(), withdrawal(1)))
    device.engine.desired(cloud.desired(1, lamp, bell))
    device.wait(lambda _: held(device) != {})
    thief = Signing(cloud.folder / "signing")
    for image in (before, taken):
        # The thief signs a newer list of the older targets: he holds the online keys.
        newer = {**taken, **image, "root": taken["root"]}
        texts = {"targets": image["targets"], **image["delegated"]}
        snapshot, timestamp = (release_metadata.successor(thief.image()[r]) for r in ("snapshot", "timestamp"))
        thief._publish({**newer, **thief._listing(texts, snapshot, timestamp, _IMAGE)})
        device.engine.desired(thief.desired(cloud.deployment(2, lamp, bell)))
        device.wait(lambda status: "signed metadata does not hold" in status.reason)
        assert (device.engine.withdrawn(), set(held(device))) == (1, {"lamp"})


def test_a_list_begun_anew_by_new_keys_lets_it_run_again(tmp_path, cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell)
    device.wait(lambda _: held(device) != {})
    keys = ReleaseKeys(tmp_path / "keys", cloud.signing.image())
    cloud.signing.adopt(keys.take(cloud.signing.image(), every_release(cloud.signing.image()), forget=True))
    device.engine.desired(cloud.desired(1, lamp, bell))
    device.wait(lambda _: held(device) == {})
    assert device.engine.withdrawn() == 0


def test_a_list_that_cannot_be_read_is_not_believed(cloud, device, lamp, bell, monkeypatch):
    monkeypatch.setattr(Withdrawal, "to_json", lambda self: {"kind": "spell"})
    monkeypatch.setattr(withdrawn, "parse", lambda value: [])
    cloud.signing.withdraw(withdrawal(1))
    device.engine.desired(cloud.desired(2, lamp, bell))
    assert "withdrawn.0.because" in device.wait(done(2, "REJECTED")).reason
    assert set(device.runner.generation.functions) == {"bell", "lamp"}


def test_an_agent_from_before_believes_the_metadata_and_the_next_one_heeds_it(cloud, device, lamp, bell, monkeypatch):
    cloud.signing.withdraw(withdrawal(1))
    with monkeypatch.context() as older:
        older.setattr("device.trust.verify.withdrawn", lambda path: [])
        device.restart()
        device.engine.desired(cloud.desired(2, lamp, bell))
        device.wait(done(2))
        assert set(device.runner.generation.functions) == {"bell", "lamp"}
    assert set(device.restart().held) == {"lamp"}


def test_damaged_trusted_metadata_is_no_list_and_no_obstacle(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell)
    device.engine.stop()
    (device.folder / "trusted.json").write_bytes(b"\xff{")
    assert Verifier(device.folder, "home", "desk-pi", cloud.roots).withdrawn == []
    assert set(device.restart().functions) == {"bell", "lamp"}


def test_the_doctor_names_it(cloud, device, lamp, bell):
    learn(cloud, device, lamp, bell)
    found = state.withdrawn(device.folder)
    assert (found.status, "lamp version 1: it burns the lamp" in found.found) == ("warn", True)
