"""What `lamplight devices` shows."""

import json

import pytest

from tests import samples


@pytest.fixture(autouse=True)
def nobody_asks(shim):
    shim.answers["GET /api/claims"] = {"claims": []}


def claim(**fields):
    told = {"name": "shelf-pi", "board": "raspberry-pi/4b", "serial": "1000", "fingerprint": "0123-4567-89ab"}
    return {
        **told,
        "state": "waiting",
        "reason": "",
        "taken": False,
        "twice": False,
        "first": 1.0,
        "last": 1.0,
        **fields,
    }


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
    assert json.loads(run("devices", "--json")[1]) == {"devices": [device()], "claims": []}


def test_json_may_stand_before_the_command(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [device()]}
    assert run("--json", "devices")[1] == run("devices", "--json")[1]


def test_no_device_says_how_to_get_one(shim, run):
    shim.answers["GET /api/devices"] = {"devices": []}
    code, _, err = run("devices")
    assert code == 0
    assert "lamplight up" in err


def test_a_new_board_is_listed_with_what_tells_it_from_another_and_how_to_let_it_in(shim, run):
    shim.answers["GET /api/devices"] = {"devices": []}
    shim.answers["GET /api/claims"] = {"claims": [claim(twice=True)]}
    _, out, err = run("devices")
    for told in ("shelf-pi", "raspberry-pi/4b", "new", "1000", "0123-4567-89ab", "another board asks"):
        assert told in out
    assert "lamplight devices accept" in err


def test_a_serial_number_that_drives_the_terminal_does_not(shim, run):
    shim.answers["GET /api/devices"] = {"devices": []}
    shim.answers["GET /api/claims"] = {"claims": [claim(serial="\x1b[2Jgone")]}
    assert "\x1b" not in run("devices")[1]


def test_accept_says_whether_an_older_device_is_to_be_replaced(shim, run):
    shim.answers["POST /api/claims/shelf-pi/accept"] = {"name": "shelf-pi"}
    assert json.loads(run("devices", "accept", "shelf-pi", "--json")[1]) == {"accepted": "shelf-pi"}
    run("devices", "accept", "shelf-pi", "--again")
    assert shim.asked("POST /api/claims/shelf-pi/accept") == [{"again": False}, {"again": True}]


def test_a_refusal_is_the_exit_code(shim, run):
    shim.refuse("POST /api/claims/shelf-pi/accept", 422, 5, "2 boards ask to be shelf-pi")
    code, _, err = run("devices", "accept", "shelf-pi")
    assert code == 5 and "2 boards" in err


def test_reject_needs_to_be_told_whom(shim, run):
    assert run("devices", "reject")[0] == 2
    assert run("devices", "reject", "shelf-pi", "--all")[0] == 2
    shim.answers["DELETE /api/claims"] = {"rejected": ["0123-4567-89ab"]}
    assert "0123-4567-89ab" in run("devices", "reject", "--all")[1]


def test_a_board_in_safe_mode_is_told_from_a_healthy_one(shim, run, device):
    shim.answers["GET /api/devices"] = {
        "devices": [device(reported={"runtime": samples.agent(safe="6 starts in a row")})]
    }
    assert "online, in safe mode" in run("devices")[1]


def test_a_revoked_device_is_shown_as_such(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [{**device(), "revoked": True}]}
    assert "revoked" in run("devices")[1]


def test_voiding_cards_says_how_many_had_a_token(shim, run):
    shim.answers["DELETE /api/cards"] = {"tokens": 2}
    code, out, _ = run("devices", "void-cards")
    assert code == 0 and "2 had a token" in out
    shim.refuse("DELETE /api/cards", 422, 5, "Boards wait to be let in")
    assert run("devices", "void-cards")[0] == 5


def test_a_person_says_which_board_is_the_device(shim, run):
    shim.answers["POST /api/devices/desk-pi/board"] = {"device": "desk-pi", "boards": []}
    code, out, _ = run("devices", "choose", "desk-pi", "2000", "--json")
    assert code == 0 and json.loads(out) == {"device": "desk-pi", "board": "2000"}
    assert shim.asked("POST /api/devices/desk-pi/board") == [{"hardware": "2000"}]


def test_choosing_a_board_that_does_not_claim_the_name_is_told_as_not_found(shim, run):
    shim.refuse("POST /api/devices/desk-pi/board", 404, 3, "No one board '3000' claims desk-pi")
    code, out, err = run("devices", "choose", "desk-pi", "3000")
    assert code == 3 and out == "" and "3000" in err


def test_a_board_that_is_kept_out_is_given_a_name(shim, run):
    shim.answers["POST /api/devices/desk-pi/rename"] = {"device": "desk-pi", "boards": []}
    code, out, _ = run("devices", "rename", "desk-pi", "2000", "shelf-pi", "--json")
    assert code == 0 and json.loads(out) == {"device": "desk-pi", "board": "2000", "name": "shelf-pi"}
    code, _, err = run("devices", "rename", "desk-pi", "2000", "shelf-pi")
    assert code == 0 and "next attempt to connect" in err
    assert shim.asked("POST /api/devices/desk-pi/rename") == 2 * [{"board": "2000", "name": "shelf-pi"}]


def test_a_board_without_a_serial_number_is_no_option(shim, run):
    for path in ("rename", "board"):
        shim.answers[f"POST /api/devices/desk-pi/{path}"] = {"device": "desk-pi", "boards": []}
    assert run("devices", "rename", "desk-pi", "-/5f0a77c1", "shelf-pi")[0] == 0
    assert run("devices", "choose", "desk-pi", "-/5f0a77c1")[0] == 0
    assert shim.asked("POST /api/devices/desk-pi/rename") == [{"board": "-/5f0a77c1", "name": "shelf-pi"}]


def test_a_board_with_an_old_agent_is_told_what_it_needs(shim, run):
    shim.refuse("POST /api/devices/desk-pi/rename", 422, 5, "The board 2000 cannot be given a name")
    code, out, err = run("devices", "rename", "desk-pi", "2000", "shelf-pi")
    assert code == 5 and out == "" and "cannot be given a name" in err
