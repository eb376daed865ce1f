"""The `reported` message: what the board says it is in, composed from what its parts say of themselves.

Pure; when it is worth sending is decided by `Throttle`, sending is the agent's.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec

from device.artifact import layer, patch
from device.generation import Generation
from device.health import FunctionHealth, SensorHealth
from device.update.status import Update
from device.version import Agent

FORMAT = 1
# Counters and the disk alone change all the time; the retained message follows them this slowly, in seconds.
COUNTERS_PERIOD = 10.0
_COUNTERS = ("events", "errors")
# Seconds after which it is sent whatever it says: a device that says nothing for long counts as lost.
LONGEST_SILENCE = 60.0


def compose(
    board: str,
    agent: Agent,
    boot: str,
    update: Update,
    functions: Mapping[str, FunctionHealth],
    sensors: Mapping[str, SensorHealth],
    running: Generation,
    confinement: Mapping[str, str],
    disk: Mapping[str, int],
) -> dict[str, object]:
    """The body, as docs/protocol.md describes it."""
    return {
        "format": FORMAT,
        "board": board,
        "agent": agent.version,
        "runtime": agent.to_json(),
        "boot": boot,
        "generation": update.generation,
        "previous": update.previous,
        "update": {
            "generation": update.update,
            "state": update.state,
            "reason": update.reason,
            "bytes": update.bytes,
            "total": update.total,
            "rate": update.rate,
            "whole": update.whole,
        },
        "functions": {name: _function(health) for name, health in functions.items()},
        "models": {name: {"version": m.version, "sha256": m.digest} for name, m in running.models.items()},
        "sensors": {name: asdict(health) for name, health in sensors.items()},
        "failed": {str(generation): reason for generation, reason in update.failed.items()},
        "evidence": {str(generation): dict(each) for generation, each in update.evidence.items()},
        "confinement": dict(confinement),
        "disk": dict(disk),
        "ai": can_run_models(),
        "patches": patch.available(),
        "platform": layer.this_machine(),
    }


@cache
def can_run_models() -> bool:
    """Whether onnxruntime is installed; looked up once, for it searches the disk."""
    return find_spec("onnxruntime") is not None


class Throttle:
    """Says whether a body is worth publishing: at once when something changed, slowly for counters, now and then
    when nothing did.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, object] | None = None
        self._sent = 0.0

    def forget(self) -> None:
        """The next body is due whatever it says: a new connection's broker may know nothing of us."""
        self._last = None

    def due(self, body: dict[str, object]) -> bool:
        """Whether to publish now; a yes counts as published."""
        unchanged = self._last is not None and _without_counters(body) == _without_counters(self._last)
        if unchanged and self._clock() - self._sent < (LONGEST_SILENCE if body == self._last else COUNTERS_PERIOD):
            return False
        self._last, self._sent = body, self._clock()
        return True


def _function(health: FunctionHealth) -> dict[str, object]:
    return {
        "version": health.version,
        "sha256": health.digest,
        "state": health.state,
        "restarts": health.restarts,
        "events": health.events,
        "errors": health.errors + health.timeouts + health.crashes,
        "deaths": dict(health.deaths),
        "last_error": health.last_error,
    }


def _without_counters(body: dict[str, object]) -> dict[str, object]:
    functions = body["functions"]
    assert isinstance(functions, dict)
    plain = {n: {k: v for k, v in f.items() if k not in _COUNTERS} for n, f in functions.items()}  # pyright: ignore
    return {**body, "functions": plain, "disk": {}}
