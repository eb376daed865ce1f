"""The `reported` message: the board's present state, composed from the parts' own accounts.

Pure; `Throttle` decides when it is worth sending. Sending is the agent's.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec

from device import libraries
from device.allowance import Allowance
from device.artifact import archive, layer, patch
from device.generation import Generation, HeldFunction
from device.health import FunctionHealth, OutputLevel, SensorHealth
from device.protocol.cloud import RUNTIMES
from device.protocol.reported import (
    HELD,
    Disk,
    Evidence,
    Reported,
    ReportedAgent,
    ReportedFunction,
    ReportedModel,
    ReportedOutput,
    ReportedSensor,
    ReportedUpdate,
)
from device.protocol.reported_parts import ReportedTrigger
from device.update.status import Update

# Counters and the disk alone change all the time; the retained message follows them this slowly, in seconds.
COUNTERS_PERIOD = 10.0
# How often a change of the outputs alone is worth a message: this many at once, and then a second. A faster output
# is seen in its records (runtime/levels.py), and here as it was at the last message.
OUTPUTS_BURST = 5
OUTPUTS_RATE = 0.2
# Seconds after which it is sent in any case: a device silent for long counts as lost.
LONGEST_SILENCE = 60.0


def compose(
    board: str,
    agent: ReportedAgent,
    boot: str,
    update: Update,
    functions: Mapping[str, FunctionHealth],
    sensors: Mapping[str, SensorHealth],
    running: Generation,
    confinement: Mapping[str, str],
    disk: Disk,
    outputs: Mapping[str, OutputLevel],
    withdrawn: int = 0,
) -> Reported:
    """The report of a board with these parts, which knows of so many withdrawals."""
    return Reported(
        board=board,
        agent=agent,
        boot=boot,
        generation=update.generation,
        previous=update.previous,
        update=_update(update),
        functions={
            **{name: _held(each) for name, each in running.held.items()},
            **{name: _function(health) for name, health in functions.items()},
        },
        models={name: ReportedModel(model.version, model.digest) for name, model in running.models.items()},
        sensors={name: ReportedSensor(health.ok, health.error) for name, health in sensors.items()},
        failed=dict(update.failed),
        evidence={generation: Evidence(dict(each)) for generation, each in update.evidence.items()},
        confinement=dict(confinement),
        ai=can_run_models(),
        patches=patch.available(),
        disk=disk,
        platform=layer.this_machine(),
        libraries=libraries.installed(),
        outputs=levels(outputs),
        withdrawn=withdrawn,
        runtimes=RUNTIMES,
        archive=archive.FORMAT,
    )


def levels(outputs: Mapping[str, OutputLevel]) -> dict[str, ReportedOutput]:
    """The outputs as the report has them."""
    return {pin: ReportedOutput(each.function, each.level, each.since) for pin, each in outputs.items()}


@cache
def can_run_models() -> bool:
    """Whether onnxruntime is installed; looked up once, for it searches the disk."""
    return find_spec("onnxruntime") is not None


class Throttle:
    """Says whether a report is worth publishing: at once on a real change, slowly for counters and for ever-changing
    outputs, now and then in quiet times.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: Reported | None = None
        self._sent = 0.0
        self._outputs = Allowance(OUTPUTS_RATE, OUTPUTS_BURST, clock())

    def forget(self) -> None:
        """The next report is due in any case: a new connection's broker may have forgotten us."""
        self._last = None

    def due(self, report: Reported) -> bool:
        """Whether to publish now; a yes counts as published."""
        if self._last is not None and not self._changed(report, self._last):
            period = LONGEST_SILENCE if report == self._last else COUNTERS_PERIOD
            if self._clock() - self._sent < period:
                return False
        self._last, self._sent = report, self._clock()
        return True

    def _changed(self, report: Reported, last: Reported) -> bool:
        if report.steady() != last.steady():
            return True
        return report.outputs != last.outputs and self._outputs.take(1, self._clock()) > 0

    def farewell(self, outputs: Mapping[str, OutputLevel]) -> Reported | None:
        """The last published report, with the final levels of the outputs; None before the first."""
        if self._last is not None:
            self._last.outputs = levels(outputs)
        return self._last


def _update(update: Update) -> ReportedUpdate:
    return ReportedUpdate(
        generation=update.update,
        state=update.state,
        reason=update.reason,
        bytes=update.bytes,
        total=update.total,
        whole=update.whole,
        rate=update.rate,
        part=update.part,
    )


def _held(function: HeldFunction) -> ReportedFunction:
    """A function unable to start on this board now."""
    return ReportedFunction(function.version, function.digest, HELD, 0, 0, 0, {}, function.reason)


def _function(health: FunctionHealth) -> ReportedFunction:
    return ReportedFunction(
        version=health.version,
        digest=health.digest,
        state=health.state,
        restarts=health.restarts,
        events=health.events,
        errors=health.errors + health.timeouts + health.crashes,
        deaths=dict(health.deaths),
        last_error=health.last_error,
        triggers=[ReportedTrigger(each.trigger, each.error, each.remedy) for each in health.triggers],
    )
