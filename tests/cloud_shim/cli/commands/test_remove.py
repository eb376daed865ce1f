"""Taking a function or a model from a device."""

import json

import pytest

FUNCTION = "DELETE /api/devices/desk-pi/functions/night-light"
MODEL = "DELETE /api/devices/desk-pi/models/presence"


def test_it_waits_until_the_device_goes_on_without_it(shim, run, device):
    shim.answers |= {FUNCTION: {"generation": 1}, "GET /api/devices/desk-pi": device()}
    code, out, _ = run("remove", "desk-pi/night-light")
    assert code == 0
    assert "generation 1 COMMITTED" in out


def test_a_model_is_removed_only_when_the_option_says_so(shim, run, device):
    shim.answers |= {MODEL: {"generation": 1}, "GET /api/devices/desk-pi": device()}
    assert run("remove", "desk-pi/presence")[0] == 3
    code, out, _ = run("remove", "desk-pi/presence", "--model", "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["kind"], told["name"], told["state"]) == ("model", "presence", "COMMITTED")


def test_a_model_in_use_is_a_rejection(shim, run):
    shim.refuse(MODEL, 422, 5, "The model 'presence' cannot be removed")
    assert run("remove", "desk-pi/presence", "--model")[0] == 5


@pytest.mark.parametrize("target", ["desk-pi", "desk-pi/", "/night-light", "a/b/c"])
def test_a_target_without_device_or_name_is_wrong_usage_and_nothing_is_sent(shim, run, target):
    assert run("remove", target)[0] == 2
    assert not shim.requests
