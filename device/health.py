"""How the functions, sensors and outputs of a board are doing, and how a function's state is decided.

Plain values, made by the runtime, read by the trial of an update and by the report to the cloud. It measures nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

RUNNING = "running"
# It runs, and a trigger of it delivers nothing.
IMPAIRED = "impaired"


@dataclass(frozen=True)
class TriggerFault:
    """A silent trigger, by its type and subject ("http /lamp"): why it delivers nothing now, and the cure."""

    trigger: str
    error: str
    remedy: str = ""


@dataclass(frozen=True)
class FunctionHealth:
    """One function since its last switch.

    `state` is starting, running, impaired, backoff or stopped. `events` were given to the handler, calls included,
    whatever the outcome. In `errors` of these the handler raised (or its result could not be sent), in `timeouts` it
    was stopped at its deadline. `crashes` counts workers that ended by themselves or met their memory limit, also while
    idle or while starting; `restarts` how often a new worker took over after a failure; `dropped` are events lost to a
    full queue. `deaths` counts the workers' ends by kind: `exit 7`, `SIGSEGV`, `deadline`, `memory`, `oom` (the kernel
    ended it at its control group's limit), `protocol` (it broke the rules of its messages), `start` (it failed to
    become the function), `zygote` (it ended with the zygote). `excused` of the timeouts and crashes leave the code
    innocent: the board had too little processor time for it. Its models were run `runs` times, `slow` of these longer
    than their budget (model.toml's `latency`). `circles` counts how often it was one of several functions that
    start each other without end. With several instances every count is of all of them, and the function
    runs while one of them does. `triggers` are the silent ones: they deliver nothing now.
    """

    version: int
    digest: str
    state: str
    events: int
    errors: int
    timeouts: int
    crashes: int
    restarts: int
    last_error: str
    dropped: int = 0
    deaths: Mapping[str, int] = field(default_factory=dict[str, int])
    runs: int = 0
    slow: int = 0
    excused: int = 0
    circles: int = 0
    triggers: tuple[TriggerFault, ...] = ()


@dataclass(frozen=True)
class SensorHealth:
    """Whether the last reading of a sensor succeeded, and the reason of a failure."""

    ok: bool
    error: str


@dataclass(frozen=True)
class OutputLevel:
    """An output held by `function`: its level since `since`, in seconds since 1970; None where it is uncertain."""

    function: str
    level: bool | None
    since: float


def state(stopped: bool, running: bool, failed: bool) -> str:
    """A function's state: was it stopped for good, has it a worker ready for events, did it fail lately."""
    if stopped:
        return "stopped"
    if running:
        return RUNNING
    return "backoff" if failed else "starting"
