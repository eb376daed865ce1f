"""Deploying: what is checked here, what is sent, and how it ends."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from cloud_shim.cli import starters
from cloud_shim.cli.commands import layer

RELEASE = {"kind": "function", "name": "night-light", "version": 2, "sha256": "a" * 64, "length": 10240, "created": 1.0}
NAMED = {"kind": "function", "name": "night-light"}
DEPLOY = "POST /api/devices/desk-pi/deploy"
NIGHT_LIGHT = str(starters.path("night-light"))


@pytest.fixture
def reports(shim, device):
    """A shim that takes a deployment as generation 2, after which the device reports these updates one by one."""

    def put(*updates, online=True, evidence=None, **fields):
        left = list(updates)

        def report(_):
            update = left.pop(0) if len(left) > 1 else left[0]
            told = {"generation": 2, "bytes": 0, "total": 0, "reason": "", **update}
            return device(reported={"update": told, "evidence": evidence or {}}, online=online, **fields)

        shim.answers |= {
            "GET /api/devices": {"devices": [device()]},
            "GET /api/devices/desk-pi": report,
            "POST /api/releases": RELEASE,
            DEPLOY: {"generation": 2},
        }

    return put


def test_it_waits_until_the_device_keeps_it(shim, run, reports):
    reports({"state": "FETCHING", "bytes": 50, "total": 100}, {"state": "TRIAL"}, {"state": "COMMITTED"})
    code, out, err = run("deploy", NIGHT_LIGHT)
    assert code == 0
    assert "generation 2 COMMITTED after" in out
    assert "TRIAL" in err
    assert shim.asked(DEPLOY) == [{**NAMED, "version": 2, "config": None, "trial": None, "retry": False, "layer": {}}]


@pytest.mark.parametrize("words", [[], ["--allow-build"]])
def test_sources_are_built_only_when_asked(shim, run, reports, monkeypatch, words):
    asked = []
    monkeypatch.setattr(layer, "build", lambda _options, _folder, _device, sources: asked.append(sources))
    monkeypatch.setattr(layer, "explain", lambda _options, _folder, _device, sources: asked.append(sources))
    reports({"state": "COMMITTED"})
    for more in ([], ["--explain"]):
        assert run("deploy", NIGHT_LIGHT, *words, *more)[0] == 0
    assert asked == [bool(words)] * 2


@pytest.mark.parametrize(("form", "mode"), [(2, 0o755), (1, 0o644)])
def test_an_older_agent_gets_no_program_and_a_person_is_told(tmp_path, shim, run, reports, form, mode):
    reports({"state": "COMMITTED"})
    answer = shim.answers["GET /api/devices/desk-pi"]

    def report(query):
        told = answer(query)
        told["reported"]["archive"] = form
        return told

    shim.answers["GET /api/devices/desk-pi"] = report
    (tmp_path / "function.toml").write_text('name = "night-light"\nhandler = "main:handler"\n')
    (tmp_path / "main.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "tool.sh").write_text("#!/bin/sh\n")
    (tmp_path / "tool.sh").chmod(0o755)
    code, _, err = run("deploy", str(tmp_path), "--device", "desk-pi")
    assert code == 0 and ("is older than 0.2" in err) == (form == 1)
    with tarfile.open(fileobj=io.BytesIO(shim.asked("POST /api/releases")[-1])) as tar:
        assert tar.getmember("tool.sh").mode == mode


def fetching(share, **more):
    return {"state": "FETCHING", "bytes": share, "total": 100, **more}


def test_a_download_is_told_in_plain_lines_one_for_each_tenth(run, reports):
    reports(
        fetching(0),
        fetching(0),
        fetching(11, rate=10),
        fetching(12, rate=10),
        fetching(99, rate=50),
        {"state": "COMMITTED"},
    )
    _, _, err = run("deploy", NIGHT_LIGHT)
    told = [line.partition("FETCHING")[2].strip() for line in err.splitlines() if "FETCHING" in line]
    assert told == ["0%  0 B of 100 B", "11%  11 B of 100 B, 10 B/s, 9 s left", "99%  99 B of 100 B, 50 B/s, 0 s left"]


def test_a_download_is_one_line_on_a_terminal_that_follows_it(run, reports, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    reports(fetching(11, rate=10), fetching(12, rate=10), {"state": "COMMITTED"})
    _, _, err = run("deploy", NIGHT_LIGHT)
    assert "\r\x1b[K" in err
    assert "12%  12 B of 100 B, 10 B/s, 9 s left" in err


@pytest.mark.parametrize("state", ["REVERTED", "REJECTED"])
def test_a_refusal_of_the_device_is_an_error_with_its_reason(run, reports, state):
    reports({"state": state, "reason": "night-light: crashed 3 times"})
    code, out, err = run("deploy", NIGHT_LIGHT)
    assert (code, out) == (5, "")
    assert state in err
    assert "crashed 3 times" in err


def test_a_refusal_says_that_what_ran_before_runs(run, reports):
    failed = {**NAMED, "version": 2, "generation": 2, "state": "REJECTED", "reason": "it cannot start", "time": 1.0}
    reports({"generation": 3, "state": "COMMITTED"}, failed=[failed])
    code, _, err = run("deploy", NIGHT_LIGHT)
    assert code == 5
    assert "desk-pi has REJECTED generation 2" in err
    assert "it cannot start" in err
    assert "desk-pi runs what it ran before" in err


def test_a_deployment_goes_on_without_what_failed_beside_it(run, reports):
    reports({"generation": 3, "state": "COMMITTED"}, continued={"2": 3})
    assert json.loads(run("deploy", NIGHT_LIGHT, "--json")[1])["generation"] == 3
    code, out, err = run("deploy", NIGHT_LIGHT)
    assert code == 0
    assert "generation 3 COMMITTED" in out
    assert "something else in generation 2 failed" in err


def test_json_says_with_what_evidence_it_was_reverted(run, reports):
    evidence = {"seconds": 4.0, "now": {"events": 20, "errors": 9, "timeouts": 0, "crashes": 0}}
    reports({"state": "REVERTED", "reason": "too many errors"}, evidence={"2": evidence})
    code, out, err = run("deploy", NIGHT_LIGHT, "--json")
    told = json.loads(out)
    assert code == 5
    assert (told["state"], told["reason"], told["evidence"]) == ("REVERTED", "too many errors", evidence)
    assert json.loads(err)["error"]["exit_code"] == 5


def test_json_says_what_was_deployed_and_how_it_ended(run, reports):
    reports({"state": "COMMITTED", "bytes": 100, "total": 100, "whole": 10240})
    told = json.loads(run("deploy", NIGHT_LIGHT, "--json")[1])
    assert told.pop("seconds") >= 0
    del RELEASE["created"]
    assert told == {**RELEASE, "device": "desk-pi", "generation": 2, "state": "COMMITTED", "travelled": 100}


def test_it_says_how_little_travelled_as_a_patch(run, reports):
    reports({"state": "COMMITTED", "bytes": 104, "total": 104, "whole": 45303})
    assert "104 B travelled instead of 45 kB" in run("deploy", NIGHT_LIGHT)[1]


def test_nothing_is_said_of_what_travelled_when_the_device_no_longer_tells(run, reports):
    reports({"state": "COMMITTED"})
    assert "travelled" not in run("deploy", NIGHT_LIGHT)[1]
    assert json.loads(run("deploy", NIGHT_LIGHT, "--json")[1])["travelled"] is None


def test_an_offline_device_without_waiting_is_no_error(run, reports):
    reports({"generation": 1, "state": "COMMITTED"}, online=False)
    code, _, err = run("deploy", NIGHT_LIGHT, "--no-wait")
    assert code == 0
    assert "will be applied when it is back" in err


def test_an_offline_device_ends_the_waiting(run, reports):
    reports({"generation": 1, "state": "COMMITTED"}, online=False)
    code, _, err = run("deploy", NIGHT_LIGHT, "--timeout", "0")
    assert code == 4
    assert "will be applied when it is back" in err


def test_a_newer_deployment_ends_the_waiting(run, reports):
    reports({"generation": 3, "state": "TRIAL"})
    code, _, err = run("deploy", NIGHT_LIGHT)
    assert code == 1
    assert "overtaken" in err


def test_settings_are_typed(shim, run, reports):
    reports({"state": "COMMITTED"})
    assert run("deploy", NIGHT_LIGHT, "--set", "threshold=200")[0] == 0
    assert shim.asked(DEPLOY)[0]["config"] == {"threshold": 200}


@pytest.mark.parametrize("pair", ["threshold", "=5"])
def test_a_setting_of_another_form_is_wrong_usage(shim, run, pair):
    assert run("deploy", NIGHT_LIGHT, "--set", pair)[0] == 2
    assert not shim.requests


def test_a_misspelt_setting_is_refused_before_anything_is_sent(shim, run):
    code, _, err = run("deploy", NIGHT_LIGHT, "--set", "treshold=5")
    assert code == 5
    assert "threshold" in err
    assert not shim.requests


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "function.toml").write_text('name = "mine"\nhandler = "main:handler"\n')
    (tmp_path / "main.py").write_text("def handler(event, context):\n    pass\n")
    return tmp_path


def test_a_syntax_error_is_told_with_its_line_and_nothing_is_sent(shim, run, folder):
    (folder / "main.py").write_text("def handler(event, context)\n    pass\n")
    code, _, err = run("deploy", str(folder))
    assert code == 5
    assert "main.py, line 1" in err
    assert not shim.requests


def test_an_unknown_trigger_is_told_and_nothing_is_sent(shim, run, folder):
    (folder / "function.toml").write_text('name = "mine"\nhandler = "main:handler"\n[[triggers]]\ntype = "moon"\n')
    code, _, err = run("deploy", str(folder))
    assert code == 5
    assert "moon" in err
    assert not shim.requests


def test_a_link_out_of_the_folder_is_told_and_nothing_is_sent(shim, run, folder):
    (folder / "passwords").symlink_to("/etc/passwd")
    assert run("deploy", str(folder))[0] == 5
    assert not shim.requests


def test_a_folder_that_is_neither_is_not_found(shim, run, tmp_path):
    code, _, err = run("deploy", str(tmp_path))
    assert code == 3
    assert "function.toml" in err
    assert not shim.requests


def test_no_folder_is_not_found(run):
    assert run("deploy", "/nowhere")[0] == 3
    assert run("deploy", __file__)[0] == 3


def test_a_trial_of_its_own_and_another_attempt_can_be_asked_for(shim, run, reports):
    reports({"generation": 1, "state": "COMMITTED"})
    run("deploy", NIGHT_LIGHT, "--no-wait", "--trial-seconds", "60", "--trial-events", "100", "--retry")
    (asked,) = shim.asked(DEPLOY)
    assert (asked["trial"], asked["retry"]) == ({"seconds": 60.0, "events": 100}, True)


def test_a_trial_of_more_than_a_week_is_refused_before_anything_is_sent(shim, run):
    code, _, err = run("deploy", NIGHT_LIGHT, "--trial-seconds", "604801")
    assert code == 2
    assert "trial-seconds" in err
    assert shim.asked(DEPLOY) == []
