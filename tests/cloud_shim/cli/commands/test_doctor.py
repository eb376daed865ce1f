"""`lamplight doctor` on the command line."""

import json

import pytest

DOCTOR = "POST /api/devices/desk-pi/doctor"
FINE = {"name": "clock.set", "status": "ok", "found": "2026", "remedy": ""}
BROKEN = {"name": "sensor.light", "status": "fail", "found": "no \x1b[2Jreading", "remedy": "check its wiring"}


def test_what_a_device_found_is_shown_with_its_remedies(shim, run):
    shim.answers[DOCTOR] = {"checks": [FINE, BROKEN]}
    code, out, err = run("doctor", "desk-pi")
    assert code == 1
    assert [each.split()[:2] for each in out.splitlines()] == [
        ["ok", "clock.set"],
        ["fail", "sensor.light"],
        ["try:", "check"],
    ]
    assert "2 checks: 1 ok, 1 failed" in err
    assert "\x1b" not in out


def test_as_json_it_is_one_document(shim, run):
    shim.answers[DOCTOR] = {"checks": [FINE]}
    code, out, err = run("doctor", "desk-pi", "--json")
    assert (code, json.loads(out), err) == (0, {"checks": [FINE]}, "")


def test_a_device_that_is_offline_is_an_error_of_its_kind(shim, run):
    shim.refuse(DOCTOR, 504, 4, "desk-pi is offline")
    assert run("doctor", "desk-pi")[0] == 4


@pytest.mark.parametrize("answer", [{"checks": "all fine"}, {"checks": [{"name": "a"}]}])
def test_an_answer_in_another_form_is_an_error_and_no_traceback(shim, run, answer):
    shim.answers[DOCTOR] = answer
    code, _, err = run("doctor", "desk-pi")
    assert code == 1
    assert "Traceback" not in err


def test_a_folder_without_a_lamplight_is_not_found(run, tmp_path):
    code, _, err = run("doctor", "--state", str(tmp_path))
    assert code == 3
    assert "--state" in err


def test_a_folder_with_one_is_looked_at_with_the_shim_away(run, tmp_path):
    (tmp_path / "cloud").mkdir()
    code, out, _ = run("doctor", "--state", str(tmp_path))
    assert code == 1
    assert "fail  shim.answers" in out
