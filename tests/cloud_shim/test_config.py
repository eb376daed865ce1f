"""What the shim's process takes on its command line."""

import pytest

from cloud_shim import config
from device.errors import UsageError

NEEDED = ["--state", "/tmp/unused", "--port", "0", "--broker-port", "1883"]


def test_a_trial_can_be_longer_by_default():
    made = config.parse([*NEEDED, "--trial-seconds", "60", "--trial-events", "100"])
    assert (made.trial_seconds, made.trial_events) == (60.0, 100)


@pytest.mark.parametrize("given", [("seconds", "nan"), ("seconds", "-1"), ("seconds", "1e9"), ("events", "-1")])
def test_a_trial_that_no_device_would_take_is_refused_at_the_start(given):
    with pytest.raises(UsageError, match="at most a week"):
        config.parse([*NEEDED, f"--trial-{given[0]}={given[1]}"])
