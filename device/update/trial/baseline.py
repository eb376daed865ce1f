"""What a new generation is compared with: how the one before it did. Pure values, kept in the slots file.

Written down when a trial begins, in the same write, so that a reboot during the trial loses nothing of it. It judges
nothing; judge.py does.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from device.protocol.fields import integer, items, name, table
from device.update.ports import Health, Sensor

_MOST = 2**53 - 1
_COUNTS = ("events", "errors", "timeouts", "crashes", "memory", "runs", "slow")


@dataclass(frozen=True)
class Counts:
    """What happened to one function: as in device/health.py; `memory` of its `crashes` were at its memory limit.

    Whoever kept that limit: the process (`memory` in `deaths`) or the kernel, for the control group (`oom`).
    """

    events: int = 0
    errors: int = 0
    timeouts: int = 0
    crashes: int = 0
    memory: int = 0
    runs: int = 0
    slow: int = 0

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class Baseline:
    """The counts of each function, and the sensors that could be read."""

    functions: Mapping[str, Counts] = field(default_factory=dict[str, Counts])
    sensors: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, object]:
        """The JSON form; `parse` is its inverse."""
        functions = {name: counts.to_json() for name, counts in self.functions.items()}
        return {"functions": functions, "sensors": sorted(self.sensors)}


def counts(health: Health) -> Counts:
    """The counts in what the runtime tells of a function."""
    memory = health.deaths.get("memory", 0) + health.deaths.get("oom", 0)
    return Counts(health.events, health.errors, health.timeouts, health.crashes, memory, health.runs, health.slow)


def take(health: Mapping[str, Health], sensors: Mapping[str, Sensor]) -> Baseline:
    """How everything does now."""
    working = frozenset(name for name, sensor in sensors.items() if sensor.ok)
    return Baseline({name: counts(each) for name, each in health.items()}, working)


def merged(kept: Baseline, now: Baseline) -> Baseline:
    """What is known of a generation: for each function the counts of more events. A reboot sets those of now to 0."""
    functions = {
        name: max(kept.functions.get(name, each), each, key=lambda counts: counts.events)
        for name, each in now.functions.items()
    }
    return Baseline(functions, now.sensors)


def parse(value: object) -> Baseline:
    """A baseline from its JSON form; raises ProtocolError. An agent of another version may know more, or less."""
    fields = table(value, "baseline")
    functions = table(fields.get("functions"), "baseline.functions")
    sensors = items(fields.get("sensors"), "baseline.sensors")
    return Baseline(
        {name(key, "baseline.functions"): _counts(each) for key, each in functions.items()},
        frozenset(name(each, "baseline.sensors") for each in sensors),
    )


def _counts(value: object) -> Counts:
    fields = table(value, "baseline.functions")
    return Counts(**{key: integer(fields, key, "baseline.functions", 0, _MOST, 0) for key in _COUNTS})
