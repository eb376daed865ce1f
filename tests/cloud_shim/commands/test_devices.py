"""What `lamplight devices` shows."""

import json


def test_a_device_in_the_middle_of_an_update_shows_both_generations(shim, run, device):
    asked = {"generation": 7, "functions": {}, "models": {}}
    shim.answers["GET /api/devices"] = {"devices": [device(reported={"generation": 6}, desired=asked)]}
    code, out, _ = run("devices")
    assert code == 0
    assert out.splitlines()[1].split() == [
        *("desk-pi", "lamplight/simulated", "online", "6", "→", "7", "night-light", "v1", "-"),
    ]


def test_a_device_that_never_reported_is_listed(shim, run, device):
    new = {**device(online=False, last_seen=None), "reported": None}
    shim.answers["GET /api/devices"] = {"devices": [new]}
    assert "never" in run("devices")[1]


def test_a_long_list_of_functions_is_not_cut_in_a_pipe(shim, run, device):
    one = device()["reported"]["functions"]["night-light"]
    names = [f"function-number-{i}" for i in range(40)]
    shim.answers["GET /api/devices"] = {"devices": [device(reported={"functions": dict.fromkeys(names, one)})]}
    assert all(f"{name} v1" in run("devices")[1].splitlines()[1] for name in names)


def test_json_is_what_the_shim_said(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [device()]}
    assert json.loads(run("devices", "--json")[1]) == {"devices": [device()]}


def test_json_may_stand_before_the_command(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [device()]}
    assert run("--json", "devices")[1] == run("devices", "--json")[1]


def test_no_device_says_how_to_get_one(shim, run):
    shim.answers["GET /api/devices"] = {"devices": []}
    code, _, err = run("devices")
    assert code == 0
    assert "lamplight up" in err
