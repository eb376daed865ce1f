"""Has a new generation proved itself? Pure: counters and elapsed time in, a verdict out. It needs no cloud.

Only functions that the deployment changed are on trial. The trial is over when `seconds` have passed and each of them
runs and has handled `events` events. Events are waited for only where the function has a sensor or timer trigger, for
others may never get one, and only PATIENCE seconds longer: a slow timer or an unplugged sensor must not keep it open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from device.generation import Generation
from device.protocol.manifest import FunctionManifest
from device.protocol.triggers import SensorTrigger, TimerTrigger, Trigger

# This many deaths, by crash or at the deadline, are a crash loop.
MAX_DEATHS = 3
# Fewer events than this say nothing about a rate of errors.
MIN_EVENTS = 3
# How much longer than `seconds` a trial lasts at most.
PATIENCE = 60.0


class Health(Protocol):
    """What the runtime counts for one function since it was last switched."""

    @property
    def state(self) -> str:
        """One of starting, running, backoff, stopped."""
        ...

    @property
    def events(self) -> int:
        """Events handled, the failed ones among them."""
        ...

    @property
    def errors(self) -> int:
        """Events whose handler raised."""
        ...

    @property
    def timeouts(self) -> int:
        """Events that were not handled by their deadline."""
        ...

    @property
    def crashes(self) -> int:
        """Workers that died."""
        ...

    @property
    def last_error(self) -> str:
        """The last of any of these, or ""."""
        ...


@dataclass(frozen=True)
class Wait:
    """It is too early to say."""


@dataclass(frozen=True)
class Commit:
    """It has proved itself."""


@dataclass(frozen=True)
class Revert:
    """It failed, for this reason."""

    reason: str


Verdict = Wait | Commit | Revert


@dataclass(frozen=True)
class Trial:
    """Which functions are on trial, and whether each gets `events` by itself; `seconds` as in the deployment."""

    seconds: float
    events: int
    functions: Mapping[str, bool]


def trial(old: Generation, new: Generation, seconds: float, events: int) -> Trial:
    """The trial of what `new` changes."""
    changed = {name: each for name, each in new.functions.items() if not each.same_as(old.functions.get(name))}
    return Trial(seconds, events, {name: gets_events(each.manifest) for name, each in changed.items()})


def gets_events(function: FunctionManifest) -> bool:
    """Whether its triggers give it events without anyone's doing, and soon."""
    return any(_ticks(trigger) for trigger in function.triggers)


def _ticks(trigger: Trigger) -> bool:
    if isinstance(trigger, SensorTrigger):
        # Not one that waits until the light changes.
        return trigger.above is None and trigger.delta is None
    return isinstance(trigger, TimerTrigger)


def judge(trial: Trial, health: Mapping[str, Health], elapsed: float) -> Verdict:
    """The verdict `elapsed` seconds, by a monotonic clock, after the switch."""
    for name in trial.functions:
        if name in health and (reason := _failure(trial, health[name])):
            return Revert(f"{name}: {reason}")
    if not trial.functions:
        return Commit()
    if elapsed < trial.seconds:
        return Wait()
    patient = elapsed < trial.seconds + PATIENCE
    for name, counts in trial.functions.items():
        each = health.get(name)
        if each is None or each.state != "running":
            return Wait() if patient else Revert(f"{name}: does not run: {each.state if each else 'not started'}")
        if patient and counts and each.events < trial.events:
            return Wait()
    return Commit()


def _failure(trial: Trial, health: Health) -> str:
    deaths = health.crashes + health.timeouts
    if deaths >= MAX_DEATHS:
        how = "crashed" if health.crashes >= health.timeouts else "took too long"
        return f"{how} {deaths} times in its trial: {health.last_error}"
    if health.events >= max(trial.events, MIN_EVENTS) and 2 * health.errors > health.events:
        return f"{health.errors} of {health.events} events failed in its trial: {health.last_error}"
    return ""
