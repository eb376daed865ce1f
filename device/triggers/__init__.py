"""What starts functions: one file per kind of trigger, and the one place that knows them all.

A trigger has a thread of its own where it needs one, and delivers by a call that never waits. It knows nothing of
functions.
"""

from collections.abc import Callable
from typing import Protocol

from device.protocol.manifest import Trigger
from device.triggers.sensor import SensorHub
from device.triggers.start import Start
from device.triggers.timer import Timer

# (source, type, data) of the event, see device/event.py.
Deliver = Callable[[str, str, object], None]


class RunningTrigger(Protocol):
    """A trigger that delivers until it is closed."""

    def close(self) -> None:
        """Deliver no more."""
        ...


def make(trigger: Trigger, deliver: Deliver, hub: SensorHub) -> RunningTrigger:
    """Start the trigger that a manifest declares; manifest.TRIGGERS are the kinds."""
    if trigger.kind == "timer":
        return Timer(trigger.every, deliver)
    if trigger.kind == "sensor":
        return hub.trigger(trigger.sensor, trigger.every, trigger.window, deliver)
    return Start(deliver)
