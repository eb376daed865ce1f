"""When a new version of the agent has proved itself."""

import pytest

from device.update.agent.proof import EVENTS, OFFLINE, lacking
from tests.device.harness import Health

RUNS = {"lamp": Health(events=EVENTS)}


@pytest.mark.parametrize(
    ("expected", "fed", "health", "connected", "elapsed", "lacks"),
    [
        (["lamp"], ["lamp"], {"lamp": Health()}, True, 0.0, ""),
        (["lamp"], ["lamp"], {}, True, OFFLINE, "not there"),
        (["lamp"], ["lamp"], {"lamp": Health("backoff")}, True, OFFLINE, "backoff"),
        (["lamp"], ["lamp"], RUNS, False, OFFLINE - 1, "not connected"),
        (["lamp"], ["lamp"], RUNS, False, OFFLINE, ""),
        (["lamp"], ["lamp"], {"lamp": Health(events=EVENTS - 1)}, False, OFFLINE, "2 events"),
        (["lamp"], [], {"lamp": Health(events=0)}, False, OFFLINE, ""),
        ([], [], {}, True, 0.0, ""),
        ([], [], RUNS, False, 10 * OFFLINE, "not connected"),
        ([], [], {"lamp": Health("backoff")}, True, 0.0, ""),
    ],
)
def test_what_it_lacks(expected, fed, health, connected, elapsed, lacks) -> None:
    told = lacking(expected, fed, health, connected, elapsed, None)
    assert (lacks in told) if lacks else told == ""


@pytest.mark.parametrize(
    ("connected", "elapsed", "answered", "lacks"),
    [
        (False, OFFLINE, 0.1, "whose port answers"),
        (False, 5 * OFFLINE, 4.5 * OFFLINE, "whose port answers"),
        (False, 5 * OFFLINE, 4 * OFFLINE, ""),
        (True, 5 * OFFLINE, 5 * OFFLINE, ""),
    ],
    ids=["link broken", "broken for long", "network gone since", "connected"],
)
def test_a_broken_link_is_not_taken_for_a_network_that_is_away(connected, elapsed, answered, lacks) -> None:
    told = lacking(["lamp"], ["lamp"], RUNS, connected, elapsed, answered)
    assert (lacks in told) if lacks else told == ""
