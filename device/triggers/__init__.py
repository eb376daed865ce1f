"""Starts functions: one file per kind of trigger, and the one place with the list of them.

A trigger has a thread of its own where it needs one, and delivers by a call that returns at once. Functions are unknown
to it.
"""

from collections.abc import Callable
from typing import Any

from device.calendar import Calendar
from device.protocol.triggers import Trigger
from device.triggers.cron import Cron
from device.triggers.delivery import Ask, Deliver, RunningTrigger
from device.triggers.file.trigger import FileTrigger, can_watch, folder_of
from device.triggers.sources import Sources
from device.triggers.start import Start
from device.triggers.timer import Timer

Maker = Callable[[Any, Deliver, Ask, Sources], RunningTrigger]


def make(trigger: Trigger, deliver: Deliver, ask: Ask, sources: Sources) -> RunningTrigger:
    """Start a declared trigger of a manifest. Raises LamplightError when this board is unable to."""
    return MAKERS[trigger.kind](trigger, deliver, ask, sources)


def check(trigger: Trigger, sources: Sources) -> None:
    """Raise LamplightError when this board is already known to be unable to run the trigger. It takes nothing.

    A pin may still be held by the version about to be replaced, and a broker answers later. The trial hears of those,
    of sensors, and of resources taken in the meantime.
    """
    if look := CHECKS.get(trigger.kind):
        look(trigger, sources)


CHECKS: dict[str, Callable[[Any, Sources], object]] = {
    "cron": lambda trigger, _sources: Calendar(trigger.schedule, trigger.zone),
    "file": lambda trigger, sources: can_watch(folder_of(sources.folders, trigger.folder)),
    "http": lambda _trigger, sources: sources.can_serve(),
}


MAKERS: dict[str, Maker] = {
    "cron": lambda trigger, deliver, _ask, _sources: Cron(trigger, deliver),
    "file": lambda trigger, deliver, _ask, sources: FileTrigger(
        trigger, folder_of(sources.folders, trigger.folder), deliver, sources.user
    ),
    "function": lambda trigger, deliver, _ask, sources: sources.results.trigger(trigger.function, deliver),
    "gpio": lambda trigger, deliver, _ask, sources: sources.pins.trigger(trigger, deliver),
    "http": lambda trigger, _deliver, ask, sources: sources.serve(trigger, ask),
    "mqtt": lambda trigger, deliver, _ask, sources: sources.topics.trigger(trigger.topic, deliver),
    "sensor": lambda trigger, deliver, _ask, sources: sources.sensors.trigger(trigger, deliver),
    "start": lambda _trigger, deliver, _ask, _sources: Start(deliver),
    "timer": lambda trigger, deliver, _ask, _sources: Timer(trigger.every, deliver),
}
