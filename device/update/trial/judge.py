"""Has a new generation proved itself? Pure: counters and elapsed time in, a verdict out. It needs no cloud.

Only functions changed by the deployment are on trial. The trial is over when `seconds` have passed and each of them
runs and has handled `events` events. Events are waited for only where the function has a sensor or timer trigger, for
others may never get one, and only PATIENCE seconds longer: the trial must close in spite of a slow timer or an
unplugged sensor.

It has **failed** when one of them dies again and again, meets a memory limit the old one kept clear of, or fails more
often than the old one (error_rate.py); or when a sensor readable to the old generation is unreadable in the end. A
sensor dead before is held against nobody. A sensor unplugged just now looks from here as if the new code broke it: the
new generation is reverted, and can be given another attempt. Likewise for a trigger of a function on trial when it is
out of service in the end (its port is taken, its folder is missing), unless the same trigger of the same function was
out of service before.

**Too busy** is a board whose other programs took the processor. The clock on the wall then says little about the code;
the worker's own account tells (runtime/workers/effort.py). A worker is excused if it was ready to run for more than
half of its time, waiting for a processor, and ran for less than half of it. A function is to blame if it sleeps or
waits for ever: the kernel counts waiting only for tasks ready to run. So is a function computing for ever, on a board
with time for it. Half, because a function in need of more than half of its timeout by itself is too slow for it anyway.
Excused deaths prolong the trial, for BUSY_PATIENCE at most, until the function has handled more events well than it was
excused for. After this time the generation is reverted, because the board was too busy to try it, and its content may
be asked for again as if it were new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from device.generation import Generation
from device.health import IMPAIRED, RUNNING
from device.protocol.manifest import FunctionManifest
from device.protocol.reasons import TOO_BUSY
from device.protocol.triggers import SensorTrigger, TimerTrigger, Trigger
from device.update.ports import Health, Sensor
from device.update.trial import baseline, error_rate
from device.update.trial.baseline import BUSY, Baseline, Counts

# This many deaths, by crash or at the deadline, are a crash loop.
MAX_DEATHS = 3
# How much longer than `seconds` a trial lasts at most.
PATIENCE = 60.0
# How much longer than `seconds` a sensor may fail if it worked before.
SENSOR_PATIENCE = 5.0
# As long may a trigger take to start.
TRIGGER_PATIENCE = SENSOR_PATIENCE
# How much longer than `seconds` a trial lasts at most on a board too busy for it.
BUSY_PATIENCE = 300.0
# Of the last error, so much becomes evidence: its end, with Python's name for the exception.
MAX_ERROR = 1000
# Fewer slow runs of a model than this are forgiven: a board has other things to do as well.
MIN_SLOW = 3
_AT_WORK = (RUNNING, IMPAIRED)


@dataclass(frozen=True)
class Wait:
    """It is too early to say."""


@dataclass(frozen=True)
class Commit:
    """It has proved itself."""


@dataclass(frozen=True)
class Revert:
    """It failed, for this reason; `evidence` as docs/protocol/reported.md says, ready for JSON."""

    reason: str
    evidence: Mapping[str, object] = field(default_factory=dict[str, object])


Verdict = Wait | Commit | Revert


@dataclass(frozen=True)
class Trial:
    """The functions on trial, and whether each gets `events` by itself; `seconds` as in the deployment.

    They are compared with `before`, the counts of the old generation.
    """

    seconds: float
    events: int
    functions: Mapping[str, bool]
    before: Baseline = field(default_factory=Baseline)


def trial(old: Generation, new: Generation, seconds: float, events: int, before: Baseline) -> Trial:
    """The trial of the changes in `new`."""
    changed = {name: each for name, each in new.functions.items() if not each.same_as(old.functions.get(name))}
    return Trial(seconds, events, {name: gets_events(each.manifest) for name, each in changed.items()}, before)


def gets_events(function: FunctionManifest) -> bool:
    """Whether its triggers give it events by themselves, and soon."""
    return any(_ticks(trigger) for trigger in function.triggers)


def _ticks(trigger: Trigger) -> bool:
    if isinstance(trigger, SensorTrigger):
        # Only those with a reading each period: others wait until the light changes.
        return trigger.above is None and trigger.delta is None
    return isinstance(trigger, TimerTrigger)


def judge(trial: Trial, health: Mapping[str, Health], sensors: Mapping[str, Sensor], elapsed: float) -> Verdict:
    """The verdict `elapsed` seconds, by a monotonic clock, after the switch."""
    for name in trial.functions:
        if name in health and (failure := _failure(trial, name, health[name], elapsed)):
            return failure
    if not trial.functions:
        return Commit()
    if elapsed < trial.seconds:
        return Wait()
    if dead := _dead_sensor(trial, sensors, elapsed):
        return dead if elapsed >= trial.seconds + SENSOR_PATIENCE else Wait()
    if mute := _mute_trigger(trial, health, elapsed):
        return mute if elapsed >= trial.seconds + TRIGGER_PATIENCE else Wait()
    return _finish(trial, health, elapsed)


def _finish(trial: Trial, health: Mapping[str, Health], elapsed: float) -> Verdict:
    """The verdict once the time has passed and all went well."""
    patient = elapsed < trial.seconds + PATIENCE
    for name, counts in trial.functions.items():
        each = health.get(name)
        if each and _too_busy(each):
            return Wait() if elapsed < trial.seconds + BUSY_PATIENCE else _not_tried(trial, name, each, elapsed)
        if each is None or each.state not in _AT_WORK:
            return Wait() if patient else _not_running(trial, name, each, elapsed)
        if patient and counts and each.events < trial.events:
            return Wait()
    return Commit()


def _failure(trial: Trial, name: str, health: Health, elapsed: float) -> Revert | None:
    now, before = baseline.counts(health), trial.before.functions.get(name, Counts())
    if kind := _broken(now, before, trial.events):
        # A circle is no error of an event.
        last = "" if kind == "circle" else f": {health.last_error}"
        reason = f"{name}: {_words(kind, now, before)} in its trial{last}"
        return Revert(reason, _evidence(kind, name, elapsed, now, before, health.last_error))
    return None


def _broken(now: Counts, before: Counts, least: int) -> str:
    """The kind of failure in the counts, or ""."""
    if now.memory and not before.memory:
        return "memory"
    if now.crashes + now.timeouts - now.excused >= MAX_DEATHS:
        return "crashes" if now.crashes >= now.timeouts else "timeouts"
    if error_rate.worse(now.errors, now.events, before.errors, before.events, least):
        return "errors"
    if now.circles and not before.circles:
        return "circle"
    return "latency" if _too_slow(now) and not _too_slow(before) else ""


def _too_busy(health: Health) -> bool:
    """Whether the board's other programs kept the function from showing enough."""
    now = baseline.counts(health)
    well = now.events - now.errors - now.timeouts
    often = now.crashes + now.timeouts >= MAX_DEATHS and well <= now.excused
    return now.excused > 0 and (often or health.state not in _AT_WORK)


def _too_slow(counts: Counts) -> bool:
    """Whether the models took longer than their budget in more than one run of twenty: their 95th percentile does."""
    return counts.slow >= MIN_SLOW and counts.slow * 20 > counts.runs


def _words(kind: str, now: Counts, before: Counts) -> str:
    if kind == "memory":
        return "met its memory limit"
    if kind == "errors":
        old = f" ({before.errors} of {before.events} before)" if before.events else ""
        return f"{now.errors} of {now.events} events failed{old}"
    if kind == "circle":
        return "started itself again without end, as its log says,"
    if kind == "latency":
        return f"its models took longer than their budget in {now.slow} of {now.runs} runs"
    return f"{'crashed' if kind == 'crashes' else 'took too long'} {now.crashes + now.timeouts} times"


def _dead_sensor(trial: Trial, sensors: Mapping[str, Sensor], elapsed: float) -> Revert | None:
    for name in sorted(trial.before.sensors):
        if name in sensors and not sensors[name].ok:
            error = sensors[name].error
            told = {"kind": "sensor", "sensor": name, "seconds": round(elapsed, 1), "last_error": error[-MAX_ERROR:]}
            return Revert(f"the sensor {name} worked before its trial, and fails since: {error}", told)
    return None


def _mute_trigger(trial: Trial, health: Mapping[str, Health], elapsed: float) -> Revert | None:
    for key, (name, fault) in sorted(baseline.faults(health).items()):
        if name in trial.functions and key not in trial.before.triggers:
            told = {"kind": "trigger", "function": name, "trigger": fault.trigger, "seconds": round(elapsed, 1)}
            reason = f"{name}: its trigger {fault.trigger} does not work: {fault.error}"
            return Revert(reason, {**told, "last_error": fault.error[-MAX_ERROR:]})
    return None


def _not_tried(trial: Trial, name: str, health: Health, elapsed: float) -> Revert:
    now, before = baseline.counts(health), trial.before.functions.get(name, Counts())
    reason = f"{TOO_BUSY}it: {name} had too little processor time {now.excused} times: {health.last_error}"
    return Revert(reason, _evidence(BUSY, name, elapsed, now, before, health.last_error))


def _not_running(trial: Trial, name: str, health: Health | None, elapsed: float) -> Revert:
    now = baseline.counts(health) if health else Counts()
    before = trial.before.functions.get(name, Counts())
    last = health.last_error if health else ""
    state = health.state if health else "not started"
    return Revert(f"{name}: does not run: {state}", _evidence("stopped", name, elapsed, now, before, last))


def _evidence(kind: str, function: str, elapsed: float, now: Counts, before: Counts, last: str) -> dict[str, object]:
    """The grounds of a verdict about a function."""
    return {
        "kind": kind,
        "function": function,
        "seconds": round(elapsed, 1),
        "now": now.to_json(),
        "before": before.to_json(),
        "last_error": last[-MAX_ERROR:],
    }
