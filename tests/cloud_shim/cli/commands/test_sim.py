"""Changing the light around a simulated device."""

import pytest

from cloud_shim.cli import reaction

SIM = "/api/sim/desk-pi"
WORLD = {"lux": 500.0, "covered": True, "unplugged": False, "pins": {"led": True}}


@pytest.fixture(autouse=True)
def one_device(shim, device):
    shim.answers["GET /api/devices"] = {"devices": [device()]}
    shim.answers[f"GET {SIM}"] = shim.answers[f"POST {SIM}"] = WORLD
    shim.answers["GET /api/devices/desk-pi"] = device()
    shim.answers["GET /api/records"] = {"records": []}
    source = "GET /api/devices/desk-pi/functions/{}/source"
    for name in device()["desired"]["functions"]:
        shim.answers[source.format(name)] = {"triggers": []}


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("light 500", {"lux": 500.0}),
        ("light 0", {"lux": 0.0}),
        ("cover", {"covered": True}),
        ("uncover", {"covered": False}),
        ("unplug", {"unplugged": True}),
        ("plug", {"unplugged": False}),
        ("low button", {"pin": "button", "level": False}),
        ("high button", {"pin": "button", "level": True}),
        ("open button", {"pin": "button", "level": None}),
    ],
)
def test_each_action_changes_one_thing(shim, run, monkeypatch, action, changes):
    monkeypatch.setattr(reaction, "PATIENCE", 0.0)
    code, out, _ = run("sim", *action.split())
    assert (code, out) == (0, "500 lux, covered, led on\n")
    assert shim.asked(f"POST {SIM}") == [changes]


def test_an_input_must_be_named(shim, run):
    assert run("sim", "low")[0] == 2
    assert not shim.requests


def test_show_changes_nothing(shim, run):
    assert run("sim", "show", "--device", "desk-pi")[1] == "500 lux, covered, led on\n"
    assert not shim.asked(f"POST {SIM}")


@pytest.mark.parametrize("action", ["nan", "inf", "1e999", "bright", ""])
def test_what_is_no_light_is_refused_before_anything_is_sent(shim, run, action):
    assert run("sim", "light", action)[0] == 2
    assert not shim.requests


@pytest.mark.parametrize("words", [["light"], ["cover", "5"], ["heat", "5"]])
def test_an_action_of_another_form_is_wrong_usage(shim, run, words):
    assert run("sim", *words)[0] == 2
    assert not shim.requests


def test_a_negative_light_is_refused(shim, run):
    assert run("sim", "light", "--", "-5")[0] == 2
    assert not shim.requests


def test_a_real_board_is_not_found(shim, run):
    shim.refuse(f"POST {SIM}", 404, 3, "desk-pi is a real board")
    assert run("sim", "light", "5")[0] == 3


def test_several_devices_need_a_name(shim, run, device):
    shim.answers["GET /api/devices"] = {"devices": [device("desk-pi"), device("hall-pi")]}
    code, _, err = run("sim", "light", "5")
    assert code == 2
    assert "desk-pi, hall-pi" in err


def test_a_change_is_shown_as_it_is_once_the_board_has_acted(shim, run):
    dark = {**WORLD, "lux": 300.0, "pins": {"led": True}}
    bright = {**dark, "covered": False, "pins": {"led": False}}
    worlds = [bright, dark]
    shim.answers[f"GET {SIM}"] = lambda _: worlds.pop(0)
    shim.answers[f"POST {SIM}"] = {**dark, "pins": {"led": False}}
    reading = {"id": 7, "kind": "reading", "lux": 3.0, "saturated": False}
    told = [[], [{**reading, "lux": 150.0}], [reading]]
    shim.answers["GET /api/records"] = lambda _: {"records": told.pop(0)}
    assert run("sim", "cover") == (0, "300 lux, covered, led on\n", "")
    assert told == []


def test_a_board_that_does_not_answer_is_said_to_and_shown_as_it_is(shim, run, monkeypatch):
    monkeypatch.setattr(reaction, "PATIENCE", 0.2)
    code, out, err = run("sim", "uncover")
    assert (code, out) == (0, "500 lux, covered, led on\n")
    assert "has not answered" in err


def test_a_board_that_is_away_is_not_waited_for(shim, run, device):
    shim.answers["GET /api/devices/desk-pi"] = {**device(), "online": False}
    code, _, err = run("sim", "uncover")
    assert code == 0
    assert "is not online" in err
