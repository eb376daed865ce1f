"""Which triggers feed which function.

Triggers that a new version declares as the old one did go on undisturbed, with their phase and their window; the
others are replaced. What a trigger does is device/triggers'.
"""

from collections.abc import Iterable

from device.generation import InstalledFunction
from device.protocol.manifest import Trigger
from device.triggers import Deliver, RunningTrigger, make
from device.triggers.sensor import SensorHub

Key = tuple[str, float, str, int]


def key(trigger: Trigger) -> Key:
    """What makes two declarations the same."""
    return (trigger.kind, trigger.every, trigger.sensor, trigger.window)


class Wiring:
    """The running triggers of all functions."""

    def __init__(self, hub: SensorHub) -> None:
        self._hub = hub
        self._running: dict[str, dict[Key, RunningTrigger]] = {}

    def connect(self, function: InstalledFunction, deliver: Deliver) -> None:
        """Have exactly the triggers of this version deliver. Those that fire at a start fire again."""
        wanted = {key(trigger): trigger for trigger in function.manifest.triggers}
        running = self._running.setdefault(function.name, {})
        for each in [k for k in running if k not in wanted or k[0] == "start"]:
            running.pop(each).close()
        for each, trigger in wanted.items():
            if each not in running:
                running[each] = make(trigger, deliver, self._hub)

    def remove(self, names: Iterable[str]) -> None:
        """These functions get no more events."""
        for name in names:
            for trigger in self._running.pop(name, {}).values():
                trigger.close()
