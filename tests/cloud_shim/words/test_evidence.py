"""What people read of a failed trial's evidence."""

import pytest

from cloud_shim.words import evidence

COUNTS = {"events": 1200, "errors": 40, "timeouts": 0, "crashes": 1, "memory": 1}


def test_both_sides_and_the_last_error_are_told():
    told = evidence.lines({"seconds": 3.5, "now": COUNTS, "before": COUNTS, "last_error": "line 1\nline 2"})
    assert told == [
        "after 3.5 s of its trial",
        "new: 1,200 events, 40 errors, 0 timeouts, 1 crashes (1 memory)",
        "old: 1,200 events, 40 errors, 0 timeouts, 1 crashes (1 memory)",
        "last error:",
        "  line 1",
        "  line 2",
    ]


@pytest.mark.parametrize("value", [{}, {"now": "all"}, {"now": {}}, {"seconds": "long"}, {"last_error": 7}])
def test_evidence_that_no_device_of_ours_would_send_is_not_shown(value):
    assert evidence.lines(value) == []
