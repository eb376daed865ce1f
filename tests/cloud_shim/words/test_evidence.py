"""What people read of a failed trial's evidence."""

from cloud_shim.words import evidence
from device.protocol.reported import Evidence

COUNTS = {"events": 1200, "errors": 40, "timeouts": 0, "crashes": 1, "memory": 1}


def test_both_sides_and_the_last_error_are_told():
    told = evidence.lines(Evidence({"seconds": 3.5, "now": COUNTS, "before": COUNTS, "last_error": "line 1\nline 2"}))
    assert told == [
        "after 3.5 s of its trial",
        "new: 1,200 events, 40 errors, 0 timeouts, 1 crashes (1 memory)",
        "old: 1,200 events, 40 errors, 0 timeouts, 1 crashes (1 memory)",
        "last error:",
        "  line 1",
        "  line 2",
    ]


def test_what_a_device_does_not_tell_is_not_shown():
    assert evidence.lines(Evidence({})) == []
    assert evidence.lines(Evidence({"now": {"events": 2}, "before": {}})) == [
        "new: 2 events, 0 errors, 0 timeouts, 0 crashes (0 memory)"
    ]


def test_slow_models_are_told():
    told = evidence.lines(Evidence({"now": {**COUNTS, "runs": 10, "slow": 9}}))
    assert told[0].endswith("(1 memory), 9 of 10 model runs over their budget")
