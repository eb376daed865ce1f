"""Deploying at each save."""

import os
import signal
import threading

import pytest

from cloud_shim.cli.commands import dev
from cloud_shim.cli.options import Options

RELEASES = "POST /api/releases"
DEPLOY = "POST /api/devices/desk-pi/deploy"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "function.toml").write_text('name = "mine"\nhandler = "main:handler"\n')
    (tmp_path / "main.py").write_text("def handler(event, context):\n    pass\n")
    return tmp_path


@pytest.fixture
def options(shim):
    shim.answers[RELEASES] = {"kind": "function", "name": "mine", "version": 1, "sha256": "0" * 64, "length": 1}
    shim.answers[DEPLOY] = {"generation": 2}
    return Options(url=shim.url)


def test_a_folder_is_sent_once_for_each_change_of_it(shim, options, folder):
    sent = dev.redeploy(options, folder, "desk-pi", dev.Sent())
    sent = dev.redeploy(options, folder, "desk-pi", sent)
    assert len(shim.asked(DEPLOY)) == 1
    (folder / "main.py").write_text("def handler(event, context):\n    return 1\n")
    dev.redeploy(options, folder, "desk-pi", sent)
    assert len(shim.asked(DEPLOY)) == 2


def test_a_syntax_error_is_shown_and_what_was_sent_before_still_counts(shim, options, folder, capsys):
    good = (folder / "main.py").read_text()
    sent = dev.redeploy(options, folder, "desk-pi", dev.Sent())
    (folder / "main.py").write_text("def handler(event, context)\n    pass\n")
    assert dev.redeploy(options, folder, "desk-pi", sent) == sent
    assert "main.py, line 1" in capsys.readouterr().err
    (folder / "main.py").write_text(good)
    assert dev.redeploy(options, folder, "desk-pi", sent) == sent
    assert len(shim.asked(DEPLOY)) == 1


def test_a_refusal_is_shown_and_the_same_save_is_tried_again(shim, options, folder, capsys):
    shim.refuse(DEPLOY, 422, 5, "night-light and mine both lease the pin 'led'")
    assert dev.redeploy(options, folder, "desk-pi", dev.Sent()) == dev.Sent()
    assert "both lease the pin" in capsys.readouterr().err


def test_changed_requirements_make_another_layer_and_other_saves_keep_it(shim, options, folder, monkeypatch):
    numbers = iter([1, 2])
    monkeypatch.setattr(dev.layer, "build", lambda *_: b"packed")
    monkeypatch.setattr(dev.layer, "send", lambda *_: {"name": "layer", "version": next(numbers)})
    sent = dev.Sent()
    for file, text in (("requirements.txt", "tzdata"), ("main.py", "# saved"), ("requirements.txt", "tzdata==2026.1")):
        with (folder / file).open("a") as opened:
            opened.write(f"{text}\n")
        sent = dev.redeploy(options, folder, "desk-pi", sent)
    (folder / "requirements.txt").unlink()
    monkeypatch.undo()
    dev.redeploy(options, folder, "desk-pi", sent)
    assert [body["layer"].get("version") for body in shim.asked(DEPLOY)] == [1, 1, 2, None]


def test_requirements_without_a_wheel_are_shown_and_the_next_save_tries_again(shim, options, folder, device, capsys):
    shim.answers["GET /api/devices/desk-pi"] = device()
    (folder / "requirements.txt").write_text("tzdata\n")
    # The board has not said yet which wheels it takes.
    assert dev.redeploy(options, folder, "desk-pi", dev.Sent()) == dev.Sent()
    assert "which wheels this board takes" in capsys.readouterr().err
    assert not shim.asked(DEPLOY)


def test_a_folder_that_vanishes_is_shown(options, folder, capsys):
    (folder / "function.toml").unlink()
    before = dev.Sent(b"before")
    assert dev.redeploy(options, folder, "desk-pi", before) == before
    assert "error: " in capsys.readouterr().err


def test_a_save_is_noticed_and_so_is_one_during_the_work(folder):
    saves = dev.saves(folder, threading.Event())
    assert next(saves) is True  # the start: from now on it is watched
    (folder / "main.py").write_text("# saved while the caller works\n")
    assert any(saves)
    assert next(saves) is False
    (folder / "main.py").write_text("# saved later\n")
    assert any(saves)


def test_an_interrupt_that_python_drops_ends_it_all_the_same(folder, monkeypatch):
    """As one that comes within a destructor: "Exception ignored in"."""

    class Destroyed:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(1000))  # the handler runs here

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)
    try:
        saves = dev.saves(folder, dev.interrupts())
        assert next(saves) is True
        Destroyed()
        assert True not in saves
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_misspelt_device_ends_it_at_once(shim, run, folder):
    shim.refuse("GET /api/devices/desk-py", 404, 3, "There is no device 'desk-py'")
    assert run("dev", str(folder), "--device", "desk-py")[0] == 3


SAME = "the same content failed as generation 4: mine: crashed 3 times. If the cause lay outside of it, `…` tries it"
BUSY = "the board was too busy to try it: mine had too little processor time 3 times: timeout"


def ended(device, state, reason):
    """The device after generation 2."""
    update = {"generation": 2, "state": state, "reason": reason, "bytes": 0, "total": 0}
    return device(reported={"update": update})


@pytest.mark.parametrize(
    ("state", "reason", "tried", "retry"),
    [
        ("REJECTED", SAME, True, True),
        ("REVERTED", BUSY, True, False),
        ("REJECTED", BUSY, True, False),
        ("REVERTED", "mine: crashed 3 times", False, None),
        ("COMMITTED", "", False, None),
    ],
)
def test_what_the_code_may_not_be_to_blame_for_is_said_and_tried_again(
    shim, options, folder, device, capsys, state, reason, tried, retry
):
    sent = dev.redeploy(options, folder, "desk-pi", dev.Sent())
    shim.answers["GET /api/devices/desk-pi"] = ended(device, state, reason)
    shim.answers[DEPLOY] = {"generation": 3}
    sent = dev.look(options, "desk-pi", sent)
    assert [body["retry"] for body in shim.asked(DEPLOY)[1:]] == ([retry] if tried else [])
    assert sent.generation == (3 if tried else 0)
    shown = capsys.readouterr().out
    assert ("as generation 3: it is tried again" in shown) == tried
    assert reason.split(".")[0] in shown or not tried


def test_one_save_is_not_tried_for_ever(shim, options, folder, device):
    sent = dev.redeploy(options, folder, "desk-pi", dev.Sent())
    shim.answers["GET /api/devices/desk-pi"] = ended(device, "REVERTED", BUSY)
    shim.answers[DEPLOY] = {"generation": 2}
    for _ in range(10):
        sent = dev.look(options, "desk-pi", sent)
    assert (len(shim.asked(DEPLOY)), sent.generation) == (3, 0)


def test_a_deployment_on_its_way_is_waited_for(shim, options, folder, device):
    sent = dev.redeploy(options, folder, "desk-pi", dev.Sent())
    shim.answers["GET /api/devices/desk-pi"] = ended(device, "TRIAL", "")
    assert dev.look(options, "desk-pi", sent) == sent


def test_a_shim_that_is_away_meanwhile_is_shown_and_ends_nothing(shim, options, folder, capsys):
    sent = dev.redeploy(options, folder, "desk-pi", dev.Sent())
    shim.refuse("GET /api/devices/desk-pi", 404, 3, "There is no device 'desk-pi'")
    assert dev.look(options, "desk-pi", sent).generation == 0
    assert "no device" in capsys.readouterr().err
