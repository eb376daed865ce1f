"""DEVICE in words."""

import pytest
from fake_state import State

from cloud_shim.console import view
from tests import samples


@pytest.fixture
def device():
    state = State()
    state.add_device("desk-pi")
    return state.devices["desk-pi"]


def update(device, **changes):
    device["reported"]["update"] |= changes
    return view.device(device, device["last_seen"]).update


def test_a_device_in_step_is_up_to_date(device):
    assert update(device) == view.Update("ok", "Up to date: generation 7")


def test_a_setting_is_shown_in_the_letters_it_was_written_in(device):
    device["desired"]["functions"]["night-light"]["config"] = {"greeting": "Grüße <b>", "on": True, "list": [1, "日"]}
    shown = view.device(device, 0.0).functions[0].config
    assert shown == (("greeting", '"Grüße <b>"'), ("on", "true"), ("list", '[1, "日"]'))


def test_a_device_that_has_reported_nothing_is_shown(device):
    device["reported"] = None
    shown = view.device(device, 0.0)
    assert shown.update.tone == "wait"
    assert [(row.desired, row.reported) for row in shown.functions] == [(3, 0)]


def test_a_rejection_is_told_with_its_reason(device):
    device["desired"]["generation"] = 8
    told = update(device, generation=8, state="REJECTED", reason="no pin 'relay'")
    assert told == view.Update("bad", "Generation 8 was rejected; nothing was changed", "no pin 'relay'")


def test_a_reversion_says_what_runs_again(device):
    device["desired"]["generation"] = 8
    told = update(device, generation=8, state="REVERTED", reason="crashed")
    assert told.text == "Generation 8 was reverted; generation 7 runs again"


def test_an_old_failure_does_not_hide_a_newer_deployment(device):
    device["desired"]["generation"] = 9
    assert update(device, generation=8, state="REVERTED").text == "Generation 9 is on its way"


def test_a_failure_is_remembered_after_a_restart_of_the_agent(device):
    device["desired"]["generation"] = 8
    device["reported"]["failed"] = {"8": "crashed 3 times"}
    assert update(device, generation=8, state="IDLE") == view.Update(
        "bad", "Generation 8 failed; generation 7 runs", "crashed 3 times"
    )


def test_an_offline_device_is_waited_for(device):
    device["desired"]["generation"] = 8
    device["online"] = False
    assert update(device).text == "Generation 8 waits for the device to return"


def test_fetching_shows_how_far_it_is(device):
    device["desired"]["generation"] = 8
    told = update(device, generation=8, state="FETCHING", bytes=65536, total=262144, rate=32768)
    assert told.text == "Fetching generation 8: 66 kB of 262 kB, 33 kB/s, 6 s left"
    assert told.progress == 0.25


def test_a_lying_progress_stays_below_one(device):
    device["desired"]["generation"] = 8
    assert update(device, generation=8, state="FETCHING", bytes=9, total=3).progress == 1.0


def test_a_function_that_only_the_device_has_differs(device):
    del device["desired"]["functions"]["night-light"]
    row = view.device(device, 0.0).functions[0]
    assert (row.desired, row.reported, row.same) == (0, 3, False)


def test_a_sensor_that_does_not_answer_is_a_fault(device):
    device["reported"]["sensors"] = {"light": {"ok": False, "error": "NACK"}}
    assert view.device(device, 0.0).faults == (("light", "NACK"),)


def test_the_disk_is_told_by_an_agent_that_knows_it(device):
    assert view.device(device, device["last_seen"]).disk == "12.0 GB free, 1.5 MB used"
    del device["reported"]["disk"]
    assert view.device(device, device["last_seen"]).disk == ""


def test_an_agent_on_trial_says_so(device):
    device["reported"]["runtime"] = samples.agent(version="0.1.0", trial=True)
    assert view.device(device, device["last_seen"]).agent == "0.1.0, on trial"
    del device["reported"]["runtime"]
    assert view.device(device, device["last_seen"]).agent == "0.1.0"


def test_a_board_in_safe_mode_does_not_look_healthy_in_the_list(device):
    device["reported"]["runtime"] = samples.agent(safe="6 starts in a row ended within 60 s")
    told = update(device)
    assert told == view.Update(
        "bad", "Safe mode: no function runs until the next deployment", "6 starts in a row ended within 60 s"
    )
    device["desired"]["generation"] = 8
    assert update(device).text == "Generation 8 is on its way"


def test_a_revoked_device_waits_for_no_deployment(device):
    device |= {"revoked": True, "online": False}
    device["desired"]["generation"] = 8
    assert "any more" in update(device).text


def test_safe_mode_is_told_with_its_reason_and_its_end(device):
    device["reported"]["runtime"] = samples.agent(safe="safe mode: 6 starts in a row ended within 60 s")
    told = view.device(device, device["last_seen"]).agent
    assert "6 starts in a row" in told and "the next deployment ends it" in told


def test_what_failed_and_was_taken_back_is_shown_while_nothing_else_goes_on(device):
    failed = {
        "kind": "function",
        "name": "night-light",
        "version": 4,
        "generation": 6,
        "state": "REVERTED",
        "time": 1.0,
    }
    device["failed"] = [{**failed, "reason": "it crashed"}]
    told = view.device(device, 0.0).update
    assert (told.tone, told.reason) == ("bad", "it crashed")
    assert told.text == "night-light v4 failed in generation 6; what ran before runs"
    device["desired"]["generation"] = 8
    assert view.device(device, 0.0).update.tone == "busy"


def function(device, **fields):
    device["reported"]["functions"]["night-light"] |= fields
    return view.device(device, device["last_seen"]).functions[0]


def test_a_held_function_is_shown_with_its_reason_once(device):
    row = function(device, state="held", last_error="the board has no pin 'nose'")
    assert (row.state, row.bad, row.troubles) == ("held", True, ("does not run: the board has no pin 'nose'",))


def test_triggers_that_deliver_nothing_are_shown_each_with_cause_and_remedy_beside_the_last_error(device):
    broken = [{"trigger": f"http /{each}", "error": "taken", "remedy": "stop it"} for each in "ab"]
    row = function(device, state="impaired", triggers=broken, last_error="KeyError: 'x'")
    assert row.bad
    assert row.troubles == (
        "trigger http /a does not work: taken. stop it",
        "trigger http /b does not work: taken. stop it",
        "KeyError: 'x'",
    )


def test_an_error_of_the_past_is_shown_and_the_function_is_not_called_bad(device):
    row = function(device, last_error="KeyError: 'x'")
    assert (row.bad, row.troubles) == (False, ("KeyError: 'x'",))
    assert function(device, last_error="").troubles == ()
