"""How the old generation did: what is counted, what is kept of it, and what an agent of another version wrote."""

import pytest

from device.health import SensorHealth, TriggerFault
from device.protocol.errors import ProtocolError
from device.update.trial import baseline
from device.update.trial.baseline import Baseline, Counts
from tests.device.harness import Health

FAULT = TriggerFault("http /lamp", "the port is taken", "stop it")
COUNTS = Counts(1, 2, 3, 4, 5, 6, 7, 8, circles=9)
FULL = Baseline({"lamp": COUNTS}, frozenset({"light", "rain"}), frozenset({"lamp http /lamp"}))


def test_every_count_is_its_own():
    health = Health(
        events=1,
        errors=2,
        timeouts=3,
        crashes=4,
        deaths={"memory": 2, "oom": 3, "SIGSEGV": 9},
        runs=6,
        slow=7,
        excused=8,
        circles=9,
    )
    assert baseline.counts(health) == COUNTS
    assert baseline.counts(Health()) == Counts()


def test_a_baseline_is_read_and_written_as_it_was():
    assert baseline.parse(FULL.to_json()) == FULL
    assert FULL.to_json() == {
        "functions": {
            "lamp": {
                "events": 1,
                "errors": 2,
                "timeouts": 3,
                "crashes": 4,
                "memory": 5,
                "runs": 6,
                "slow": 7,
                "excused": 8,
                "circles": 9,
            }
        },
        "sensors": ["light", "rain"],
        "triggers": ["lamp http /lamp"],
    }


def test_an_agent_of_another_version_may_know_more_or_less():
    assert baseline.parse({"functions": {"lamp": {"later": 1}}, "sensors": [], "later": 1}) == Baseline(
        {"lamp": Counts()}
    )
    assert baseline.parse({"functions": {"lamp": {"events": 2**53 - 1}}, "sensors": []}).functions["lamp"].events


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"functions": {}},
        {"sensors": []},
        {"functions": {"Lamp": {}}, "sensors": []},
        {"functions": {"lamp": 5}, "sensors": []},
        {"functions": {"lamp": {"events": -1}}, "sensors": []},
        {"functions": {"lamp": {"events": 2**53}}, "sensors": []},
        {"functions": {}, "sensors": ["../x"]},
        {"functions": {}, "sensors": [], "triggers": {}},
    ],
    ids=str,
)
def test_another_shape_is_refused(value):
    with pytest.raises(ProtocolError, match=r"^baseline"):
        baseline.parse(value)


def test_triggers_out_of_service_are_known_by_function_and_trigger():
    assert baseline.faults({"lamp": Health(triggers=(FAULT,)), "fan": Health()}) == {"lamp http /lamp": ("lamp", FAULT)}


def test_what_everything_does_now_is_taken():
    health = {"lamp": Health(events=3, triggers=(FAULT,)), "fan": Health()}
    sensors = {"light": SensorHealth(True, ""), "rain": SensorHealth(False, "no answer")}
    assert baseline.take(health, sensors) == Baseline(
        {"lamp": Counts(events=3), "fan": Counts()},
        frozenset({"light"}),
        frozenset({"lamp http /lamp", "lamp sensor rain", "fan sensor rain"}),
    )


def test_the_counts_of_more_events_are_kept_and_all_else_is_as_it_is_now():
    kept = Baseline({"lamp": Counts(events=9), "fan": Counts(events=1), "gone": Counts(events=5)}, frozenset({"rain"}))
    now = Baseline(
        {"lamp": Counts(events=3), "fan": Counts(events=2), "new": Counts(events=1)},
        frozenset({"light"}),
        frozenset({"lamp http /lamp"}),
    )
    assert baseline.merged(kept, now) == Baseline(
        {"lamp": Counts(events=9), "fan": Counts(events=2), "new": Counts(events=1)}, now.sensors, now.triggers
    )
