"""The measure for a new generation: how the one before it did. Pure values, kept in the slots file.

Written down when a trial begins, in the same write, so it survives a reboot during the trial. The judging is
judge.py's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from device.protocol.fields import integer, items, name, table
from device.protocol.triggers import SensorTrigger
from device.update.ports import Fault, Health, Sensor

# The kind of evidence in favour of the content: the board was too busy to try it.
BUSY = "busy"
_MOST = 2**53 - 1
_COUNTS = ("events", "errors", "timeouts", "crashes", "memory", "runs", "slow", "excused", "circles")


@dataclass(frozen=True)
class Counts:
    """The counts of one function, as in device/health.py; `memory` of its `crashes` were at its memory limit.

    Either guard of the limit counts: the process (`memory` in `deaths`) or the kernel, for the control group (`oom`).
    """

    events: int = 0
    errors: int = 0
    timeouts: int = 0
    crashes: int = 0
    memory: int = 0
    runs: int = 0
    slow: int = 0
    excused: int = 0
    circles: int = 0

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class Baseline:
    """The counts of each function, the readable sensors, and the triggers out of service, as "function trigger"."""

    functions: Mapping[str, Counts] = field(default_factory=dict[str, Counts])
    sensors: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, object]:
        """The JSON form; `parse` is its inverse."""
        functions = {name: counts.to_json() for name, counts in self.functions.items()}
        return {"functions": functions, "sensors": sorted(self.sensors), "triggers": sorted(self.triggers)}


def counts(health: Health) -> Counts:
    """The counts in the runtime's account of a function."""
    memory = health.deaths.get("memory", 0) + health.deaths.get("oom", 0)
    return Counts(
        health.events,
        health.errors,
        health.timeouts,
        health.crashes,
        memory,
        health.runs,
        health.slow,
        health.excused,
        health.circles,
    )


def faults(health: Mapping[str, Health]) -> dict[str, tuple[str, Fault]]:
    """The triggers out of service, by "function trigger", each with its function."""
    return {f"{name} {each.trigger}": (name, each) for name, told in health.items() for each in told.triggers}


def take(health: Mapping[str, Health], sensors: Mapping[str, Sensor]) -> Baseline:
    """How everything does now."""
    working = frozenset(name for name, sensor in sensors.items() if sensor.ok)
    # A sensor dead before is held against nobody, even before its triggers miss it.
    dead = {str(SensorTrigger(each)) for each in sensors if each not in working}
    mute = {*faults(health), *(f"{name} {trigger}" for name in health for trigger in dead)}
    return Baseline({name: counts(each) for name, each in health.items()}, working, frozenset(mute))


def merged(kept: Baseline, now: Baseline) -> Baseline:
    """All knowledge of a generation: for each function the counts of more events. A reboot sets those of now to 0."""
    functions = {
        name: max(kept.functions.get(name, each), each, key=lambda counts: counts.events)
        for name, each in now.functions.items()
    }
    return Baseline(functions, now.sensors, now.triggers)


def parse(value: object) -> Baseline:
    """A baseline from its JSON form; raises ProtocolError. An agent of another version may know more, or less."""
    fields = table(value, "baseline")
    functions = table(fields.get("functions"), "baseline.functions")
    sensors = items(fields.get("sensors"), "baseline.sensors")
    triggers = items(fields.get("triggers", []), "baseline.triggers")
    return Baseline(
        {name(key, "baseline.functions"): _counts(each) for key, each in functions.items()},
        frozenset(name(each, "baseline.sensors") for each in sensors),
        frozenset(str(each) for each in triggers),
    )


def _counts(value: object) -> Counts:
    fields = table(value, "baseline.functions")
    return Counts(**{key: integer(fields, key, "baseline.functions", 0, _MOST, 0) for key in _COUNTS})
