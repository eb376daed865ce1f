"""What `lamplight status` shows."""

import json

from cloud_shim.cli.commands.status import rows


def failed(name, version, **more):
    said = {"state": "REVERTED", "reason": f"{name}: crashed 3 times", "generation": 8, "time": 1.0}
    return {"kind": "function", "name": name, "version": version, **said, **more}


def test_what_failed_is_shown_beside_what_runs(device):
    shown = dict(rows({**device(), "failed": [failed("night-light", 9)]}, 2.0))
    assert shown["function night-light"].splitlines()[-1] == (
        "v9 was REVERTED in generation 8: night-light: crashed 3 times"
    )
    assert shown["function night-light"].startswith("v1 running")


def test_who_asked_for_what_runs_is_shown_where_the_shim_says_it(device):
    given = device()
    assert dict(rows(given, 2.0))["generation"] == "1, as asked for"
    given["desired"]["by"] = "ana"
    assert dict(rows(given, 2.0))["generation"] == "1, as asked for by ana"


def test_what_failed_and_never_ran_is_shown_as_not_running(device):
    shown = dict(rows({**device(), "failed": [failed("imp", 1, state="REJECTED", reason="no module nope")]}, 2.0))
    assert shown["function imp"] == "v1 was REJECTED in generation 8: no module nope\nit does not run"


def test_a_removal_that_failed_and_an_agent_are_shown(device):
    given = [failed("night-light", 0), failed("lamplight", 4, kind="agent", reason="it did not connect")]
    shown = dict(rows({**device(), "failed": given}, 2.0))
    assert "its removal was REVERTED in generation 8" in shown["function night-light"]
    assert "v4 was REVERTED in generation 8: it did not connect" in shown["agent"]


def test_a_sensor_that_cannot_be_read_is_shown_with_its_error(device):
    broken = device(reported={"sensors": {"light": {"ok": False, "error": "no answer at 0x39"}}})
    assert ("sensor light", "cannot be read: no answer at 0x39") in rows(broken, 2.0)


def test_the_disk_is_shown(device):
    assert ("disk", "12.0 GB free, 1.5 MB used by Lamplight") in rows(device(), 2.0)
    assert "disk" not in dict(rows(device(reported={"disk": {}}), 2.0))


def test_a_device_that_never_reported_is_no_error(device):
    new = {**device(online=False, last_seen=None), "reported": None}
    assert rows(new, 2.0) == [
        ("desk-pi", "never seen, lamplight/simulated"),
        ("generation", "1 is asked for; the device has not reported yet"),
    ]


def told(device, now=2.0):
    return dict(rows(device, now))


def test_a_reverted_generation_is_told_once_with_its_reason_and_what_runs(device):
    why = "night-light: crashed 3 times in its trial:\n  main.py:4 in handler: 1 / 0"
    update = {"generation": 2, "state": "REVERTED", "reason": why, "bytes": 0, "total": 0}
    wanted = {"generation": 2, "functions": {"night-light": {"version": 2, "config": {}}}, "models": {}}
    reverted = device(reported={"update": update, "failed": {"2": why}}, desired=wanted)
    assert told(reverted)["generation"] == f"1 runs; generation 2 was REVERTED:\n{why}"
    assert told(reverted)["function night-light"].endswith("\nv2 is asked for")
    assert "generation 2" not in told(reverted)


def test_an_offline_device_says_how_old_the_news_is_and_what_waits_for_it(device):
    wanted = {"generation": 2, "functions": {"blink": {"version": 1, "config": {}}}, "models": {}}
    offline = told(device(online=False, desired=wanted), now=7201.0)
    assert offline["desk-pi"].startswith("offline, last seen 2 hours ago")
    assert offline["generation"] == "1 runs; generation 2 will be applied when it is back"
    assert offline["function blink"] == "v1 is asked for; it does not run"
    assert offline["function night-light"].endswith("it is to be removed")


def test_a_download_says_how_far_it_is(device):
    update = {"generation": 2, "state": "FETCHING", "reason": "", "bytes": 50, "total": 100, "rate": 5}
    wanted = {"generation": 2, "functions": {}, "models": {}}
    fetching = told(device(reported={"update": update}, desired=wanted))
    assert (
        fetching["generation"] == "1 runs; generation 2 is being fetched, 50% so far: 50 B of 100 B, 5 B/s, 10 s left"
    )


def test_settings_are_shown_with_the_function_they_are_for(device):
    wanted = {"generation": 1, "functions": {"night-light": {"version": 1, "config": {"threshold": 7}}}, "models": {}}
    assert "set: threshold=7" in told(device(desired=wanted))["function night-light"]


def test_what_is_not_confined_is_said(device):
    confinement = {"memory": "rlimit", "network": "none"}
    assert told(device(reported={"confinement": confinement}))["confinement"] == "memory: rlimit\nnot confined: network"


def test_an_error_with_escape_sequences_does_not_drive_the_terminal(device):
    broken = device(reported={"sensors": {"light": {"ok": False, "error": "\x1b]0;owned\x07"}}})
    assert not {"\x1b", "\x07"} & set(told(broken)["sensor light"])


def test_the_only_device_can_be_shown_as_json(shim, run, device):
    shim.answers["GET /api/devices/desk-pi"] = device()
    code, out, _ = run("status", "desk-pi", "--json")
    assert code == 0
    assert json.loads(out) == device()


def test_the_only_device_need_not_be_named(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [device()]}
    shim.answers["GET /api/devices/desk-pi"] = device()
    code, out, _ = run("status")
    assert code == 0
    assert out.startswith("desk-pi ")


def test_one_of_several_devices_must_be_named(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [device(), device(name="hall-pi")]}
    code, _, err = run("status")
    assert code == 2
    assert err == "error: No device is named. there are desk-pi, hall-pi. try: name one of them\n"


def test_what_a_person_must_see_to_is_told_and_does_not_disturb_a_program(shim, run, device):
    shim.answers["GET /api/devices/desk-pi"] = device()
    shim.answers["GET /api/health"] = {"notices": ["What image-targets signed is good until tomorrow"]}
    assert run("status", "desk-pi")[2] == "warning: What image-targets signed is good until tomorrow\n"
    assert run("status", "desk-pi", "--json")[2] == ""


def test_an_unknown_device_is_not_found(shim, run):
    shim.refuse("GET /api/devices/nobody", 404, 3, "There is no device 'nobody'")
    code, out, err = run("status", "nobody")
    assert (code, out) == (3, "")
    assert err == "error: There is no device 'nobody'. for a reason. try: something else\n"


AGENT = {"version": "0.2.0", "sha256": "ab" * 32, "trial": False, "previous": "0.1.0", "lost": ""}


def test_the_agent_is_told_with_what_it_can_go_back_to(device):
    wanted = {**device()["desired"], "agent": {"version": 2, "sha256": "ab" * 32}}
    assert told(device(reported={"agent": "0.2.0", "runtime": AGENT}, desired=wanted))["agent"] == "0.2.0, 0.1.0 before"


def test_an_agent_on_trial_or_that_was_lost_or_is_asked_for_is_told(device):
    agent = {**AGENT, "trial": True, "previous": "", "lost": "agent cdcd is damaged on disk"}
    wanted = {**device()["desired"], "agent": {"version": 3, "sha256": "cd" * 32}}
    shown = told(device(reported={"agent": "0.2.0", "runtime": agent}, desired=wanted))["agent"]
    assert shown == "0.2.0, on trial\nagent cdcd is damaged on disk\nrelease v3 is asked for"
    back = {**device()["desired"], "agent": None}
    assert "the built-in one is asked for" in told(device(reported={"runtime": AGENT}, desired=back))["agent"]


def test_safe_mode_is_told_first_with_what_ends_it(device):
    shown = told(device(reported={"runtime": {**AGENT, "safe": "safe mode: 6 starts in a row"}}))
    assert list(shown)[1] == "safe mode"
    assert "6 starts in a row" in shown["safe mode"] and "`lamplight rollback`" in shown["safe mode"]


def test_an_agent_that_says_nothing_of_its_versions_is_told_by_its_own(device):
    assert told(device())["agent"] == device()["reported"]["agent"]


def test_a_silent_device_is_told_as_such(device, run, shim):
    shim.answers["GET /api/devices/desk-pi"] = device(online=False, silent=True, last_seen=1.0)
    out = run("status", "desk-pi")[1]
    assert "silent, last seen" in out
    assert "what follows is what it said then" in out


def test_what_workers_died_of_is_shown_and_an_agent_that_does_not_say_is_no_error(device):
    dying = device()
    dying["reported"]["functions"]["night-light"]["deaths"] = {"memory": 1, "SIGSEGV": 4}
    assert "died 4 × SIGSEGV, 1 × memory" in told(dying)["function night-light"]
    assert "died" not in told(device())["function night-light"]


def test_a_trigger_that_delivers_nothing_is_shown_with_its_reason_and_remedy(device):
    broken = {"trigger": "http /lamp", "error": "HTTP cannot be served: nginx listens there", "remedy": "stop it"}
    given = device()
    given["reported"]["functions"]["night-light"] |= {"state": "impaired", "triggers": [broken]}
    lines = told(given)["function night-light"].splitlines()
    assert lines[0].startswith("v1 impaired, 12 events")
    assert "trigger http /lamp does not work: HTTP cannot be served: nginx listens there. stop it" in lines
