"""Giving a device another version of the agent: what is packed, what is sent, and how it ends."""

from pathlib import Path

import pytest

DEPLOY = "POST /api/devices/desk-pi/deploy"
RELEASE = {"kind": "agent", "name": "lamplight", "version": 2, "sha256": "a" * 64, "length": 600000, "created": 1.0}


@pytest.fixture
def answers(shim, device):
    def put(**update):
        update = {"generation": 2, "bytes": 0, "total": 0, "reason": "", **update}
        shim.answers |= {
            "GET /api/devices/desk-pi": device(reported={"update": update}),
            "POST /api/releases": RELEASE,
            DEPLOY: {"generation": 2},
        }

    return put


def test_it_sends_this_machines_agent_and_waits_until_the_device_keeps_it(shim, run, answers):
    answers(state="COMMITTED")
    code, out, err = run("upgrade", "desk-pi")
    assert (code, "generation 2 COMMITTED" in out) == (0, True), err
    assert shim.asked(DEPLOY) == [
        {"kind": "agent", "name": "lamplight", "version": 2, "config": None, "trial": None, "retry": False}
    ]


def test_a_device_that_went_back_to_its_old_agent_is_an_error_with_the_reason(run, answers):
    answers(state="REVERTED", reason="the agent: it ended 3 times before it had proved itself")
    code, _, err = run("upgrade", "desk-pi")
    assert code == 5
    assert "it ended 3 times" in err


def test_a_folder_without_the_packages_is_refused_before_anything_is_sent(shim, run, answers, tmp_path: Path):
    answers(state="COMMITTED")
    code, _, err = run("upgrade", "desk-pi", "--source", str(tmp_path))
    assert code == 3
    assert "--source" in err
    assert shim.asked(DEPLOY) == []


def test_an_unpacked_agent_is_no_function(run, answers, tmp_path: Path):
    (tmp_path / "runtime.toml").write_text("")
    answers(state="COMMITTED")
    code, _, err = run("deploy", str(tmp_path))
    assert code == 2
    assert "lamplight upgrade" in err
