"""The supervisor with real processes on fake hardware: switching, calling, checking, health."""

import threading

import pytest
from conftest import until

from device.errors import LamplightError, LeaseError, NotFoundError, OfflineError, RejectedError, UsageError

ECHO = "def handler(event, context): return event.data"
LED = """
[pins.led]
safe = false
"""


def test_a_call_returns_what_the_handler_returns(bench):
    bench.run(bench.function(ECHO))
    assert bench.supervisor.call("f", {"a": [1, 2.5, None, "ö"]}) == {"a": [1, 2.5, None, "ö"]}
    assert bench.health().events == 1 and bench.health().errors == 0
