"""What the doctor makes of what the shim knows of a device."""

import pytest

from cloud_shim.cli.doctor import devices
from tests import samples

NOW = 1_790_000_000.0


def device(state="COMMITTED", generation=1, wanted=1, online=True, silent=False, last_seen=NOW, **update):
    told = {"generation": wanted, "state": state, "reason": "", "bytes": 0, "total": 0, **update}
    reported = samples.report(generation=generation, update=told, failed={})
    desired = {"generation": wanted, "functions": {}, "models": {}}
    return {
        "name": "pi",
        "online": online,
        "silent": silent,
        "last_seen": last_seen,
        "revoked": False,
        "password_until": None,
        "desired": desired,
        "reported": reported,
    }


def test_a_silent_device_fails_and_an_offline_one_is_worth_a_look():
    assert devices.judge_presence(device(), NOW).status == "ok"
    assert devices.judge_presence(device(online=False), NOW).status == "warn"
    found = devices.judge_presence(device(online=False, silent=True, last_seen=NOW - 600), NOW)
    assert (found.status, found.found.startswith("silent, last seen 10 minutes ago")) == ("fail", True)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (device(), "ok"),
        (device(wanted=0), "ok"),
        (device("REVERTED", 1, 2, reason="night-light: crashed"), "fail"),
        (device("REJECTED", 1, 2), "fail"),
        (device("FETCHING", 1, 2), "ok"),
        (device("IDLE", 1, 2), "warn"),
        (device("IDLE", 1, 2, online=False), "warn"),
        ({**device(wanted=3), "reported": None}, "warn"),
    ],
)
def test_a_deployment_that_is_stuck_or_failed(given, status):
    found = devices.judge_deployment(given)
    assert found.status == status
    assert bool(found.remedy) == (status != "ok")


def record(received, time):
    return {"received": received, "time": time}


def test_a_clock_is_judged_by_the_record_that_was_quickest():
    waited = [record(NOW, NOW - 5000), record(NOW, NOW - 1)]
    assert devices.judge_clock(waited).status == "ok"
    assert devices.judge_clock(waited[:1]).status == "warn"
    ahead = devices.judge_clock([record(NOW, NOW + 7200)])
    assert (ahead.status, ahead.found) == ("warn", "2 hours ahead of the shim's")
    assert devices.judge_clock([record(NOW, 30.0)]).status == "warn"
    assert devices.judge_clock([]).status == "skip"


def test_a_trigger_that_delivers_nothing_fails_with_the_devices_own_remedy():
    assert devices.judge_triggers(device()).status == "ok"
    assert devices.judge_triggers({**device(), "reported": None}).status == "skip"
    given = device()
    broken = {"trigger": "http /lamp", "error": "HTTP cannot be served", "remedy": "stop what holds it"}
    given["reported"]["functions"]["night-light"] |= {"state": "impaired", "triggers": [broken]}
    found = devices.judge_triggers(given)
    assert (found.status, found.remedy) == ("fail", "stop what holds it")
    assert found.found == "night-light: http /lamp does not work: HTTP cannot be served"


def test_a_function_that_is_held_back_is_named_with_its_reason():
    assert devices.judge_functions(device()).status == "ok"
    assert devices.judge_functions({**device(), "reported": None}).status == "skip"
    given = device()
    held = {"state": "held", "last_error": "the board has no pin 'nose'"}
    given["reported"]["functions"]["night-light"] |= held
    found = devices.judge_functions(given)
    version = given["reported"]["functions"]["night-light"]["version"]
    assert found.status == "fail" and found.remedy
    assert found.found == f"night-light v{version} does not run: the board has no pin 'nose'"


def test_devices_that_send_more_than_their_share_are_worth_a_look():
    assert devices.judge_shares(None).status == "skip"
    assert devices.judge_shares([]).status == "ok"
    both = [{"told": "tv floods", "try": "revoke tv"}, {"told": "tv is kept out", "try": "revoke tv"}]
    found = devices.judge_shares(both)
    assert (found.status, found.found, found.remedy) == ("warn", "tv floods; tv is kept out", "revoke tv")
