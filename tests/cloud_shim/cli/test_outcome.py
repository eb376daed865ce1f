"""What a device's report says about one deployment."""

import pytest

from cloud_shim.cli import outcome
from cloud_shim.cli.outcome import Outcome, judge
from cloud_shim.words.transfer import Transfer, Travelled
from device.errors import LamplightError, OfflineError
from tests import samples


def device(update=(1, "COMMITTED"), generation=1, failed=None, reason="", received=(0, 0), online=True):
    return {
        "name": "desk-pi",
        "online": online,
        "reported": samples.report(
            generation=generation,
            failed=failed or {},
            evidence={},
            update={
                "generation": update[0],
                "state": update[1],
                "reason": reason,
                "bytes": received[0],
                "total": received[1],
                "whole": 2 * received[1],
            },
        ),
    }


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (device(), Outcome("WAITING")),
        ({**device(), "reported": None}, Outcome("WAITING")),
        (device((2, "FETCHING"), received=(25, 100)), Outcome("FETCHING", "", Transfer(25, 100))),
        (device((2, "TRIAL"), 2), Outcome("TRIAL")),
        (device((2, "COMMITTED"), 2), Outcome("COMMITTED")),
        (device((2, "COMMITTED"), 2, received=(9, 9)), Outcome("COMMITTED", travelled=Travelled(9, 18))),
        (device((2, "REVERTED"), 1, {"2": "crashed"}, "crashed"), Outcome("REVERTED", "crashed")),
        (device((2, "REJECTED"), 1, reason="no pin"), Outcome("REJECTED", "no pin")),
        (device((3, "FETCHING"), 1), Outcome("SUPERSEDED")),
        (device((3, "COMMITTED"), 3), Outcome("SUPERSEDED")),
        (device((3, "TRIAL"), 3, {"2": "crashed"}), Outcome("REVERTED", "crashed")),
    ],
)
def test_a_report_is_judged(seen, expected):
    assert judge(seen, 2) == expected


@pytest.mark.parametrize("update", [(2, "IDLE"), (0, "IDLE")])
def test_after_a_restart_the_agent_only_says_what_it_runs(update):
    assert judge(device(update, 2), 2) == Outcome("COMMITTED")


class Shim:
    """Answers with one device after the other, and then with the last."""

    def __init__(self, *devices):
        self._devices = list(devices)

    def device(self, name):
        return self._devices.pop(0) if len(self._devices) > 1 else self._devices[0]


def test_waiting_tells_of_each_change_once():
    heard = []
    shim = Shim(device(), device(), device((2, "TRIAL")), device((2, "TRIAL")), device((2, "COMMITTED")))
    assert outcome.wait(shim, "desk-pi", 2, 60, heard.append).good
    assert [each.state for each in heard] == ["WAITING", "TRIAL", "COMMITTED"]


def test_waiting_for_an_offline_device_ends():
    with pytest.raises(OfflineError, match="will be applied when it is back"):
        outcome.wait(Shim(device(online=False)), "desk-pi", 2, 0)


def test_waiting_for_a_device_that_is_stuck_ends():
    with pytest.raises(OfflineError, match="it is FETCHING"):
        outcome.wait(Shim(device((2, "FETCHING"))), "desk-pi", 2, 0)


NIGHT_LIGHT = ("function", "night-light", 4)


def overtaken(functions):
    """By generation 3, which asks for these functions."""
    return {**device((3, "FETCHING")), "desired": {"generation": 3, "functions": functions, "models": {}}}


def test_a_newer_deployment_that_has_the_release_too_is_waited_for():
    last = {**overtaken({"night-light": {"version": 4}}), "reported": device((3, "COMMITTED"), 3)["reported"]}
    heard = []
    end = outcome.wait(
        Shim(overtaken({"night-light": {"version": 4}}), last), "desk-pi", 2, 60, heard.append, NIGHT_LIGHT
    )
    assert (end.good, end.generation) == (True, 3)
    assert any(each.state == outcome.CONTINUED for each in heard)


@pytest.mark.parametrize("functions", [{}, {"night-light": {"version": 5}}, {"other": {"version": 4}}])
def test_a_newer_deployment_without_the_release_ends_the_waiting(functions):
    with pytest.raises(LamplightError, match="overtaken"):
        outcome.wait(Shim(overtaken(functions)), "desk-pi", 2, 60, release=NIGHT_LIGHT)


def test_waiting_for_what_was_overtaken_ends():
    with pytest.raises(LamplightError, match="overtaken"):
        outcome.wait(Shim(device((3, "TRIAL"))), "desk-pi", 2, 60)
