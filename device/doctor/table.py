"""The list of a board's checks, in the order they are told in. The only place where the doctor's parts meet."""

import time
from collections.abc import Callable
from functools import partial

import boards
from device.config import AgentConfig
from device.doctor import (
    broker,
    clock,
    credentials,
    disk,
    keys,
    libraries,
    pins,
    process,
    sandbox,
    sensor,
    state,
    triggers,
    zygote,
)
from device.doctor.check import Check, fail
from device.enrol import displacement
from device.errors import LamplightError
from device.protocol import topics
from device.trust.synchronised import synchronised
from device.update import slots

# Seconds for hashing all installed files, on a slow card.
_STORE_PATIENCE = 120.0


def checks(config: AgentConfig, reference: float | None = None, now: Callable[[], float] = time.time) -> list[Check]:
    """The checks of the board described by `config`.

    `reference` is the time on the shim's clock, in seconds since 1970, when known; `now` is the board's own.
    """
    return [
        Check("agent.running", partial(process.agent, config.state)),
        *_clock(config, reference, now),
        *_disk(config),
        *_credentials(config, now),
        *_broker(config),
        *_state(config),
        *_machine(config),
        *_hardware(config),
    ]


def _clock(config: AgentConfig, reference: float | None, now: Callable[[], float]) -> list[Check]:
    trusted = config.state / "update" / "trusted.json"
    return [
        Check("clock.set", lambda: clock.judge_set(now())),
        Check("clock.floor", lambda: clock.judge_floor(now(), clock.time_floor(trusted), synchronised())),
        Check("clock.agrees", lambda: clock.judge_agreement(now(), reference)),
    ]


def _disk(config: AgentConfig) -> list[Check]:
    return [
        Check("disk.writable", partial(disk.writable, config.state)),
        Check("disk.free", partial(disk.free, config.state)),
        Check("disk.files", partial(disk.files, config.state)),
    ]


def _credentials(config: AgentConfig, now: Callable[[], float]) -> list[Check]:
    trusted = config.state / "update" / "trusted.json"

    def present() -> float:
        # As verification judges it: a clock at 1970 does not make an ended root good again.
        return max(now(), clock.time_floor(trusted))

    return [
        Check("credentials.password", partial(credentials.own_password, config)),
        Check("keys.roots", partial(credentials.unchangeable, config.roots)),
        Check("keys.director-root", lambda: keys.root(config.roots / "director-root.json", present())),
        Check("keys.image-root", lambda: keys.root(config.roots / "image-root.json", present())),
        Check("keys.trusted", lambda: keys.trusted(trusted, present())),
    ]


def _broker(config: AgentConfig) -> list[Check]:
    found, may_publish = broker.of_device(config.broker, config.fleet, config.device)
    desired = topics.of_device(config.fleet, config.device, "desired")
    return [
        Check("broker.resolves", found.resolves),
        Check("broker.reachable", found.reachable),
        Check("broker.certificate", found.secured, 2 * broker.PATIENCE),
        Check("broker.accepts", found.accepts, 2 * broker.PATIENCE + 5),
        Check("broker.rules", may_publish, 3 * broker.PATIENCE + 5),
        Check("broker.alone", lambda: broker.judge_alone(displacement.reason(config.state))),
        Check("broker.delivers", lambda: found.delivers(desired, _was_deployed(config)), 3 * broker.PATIENCE + 5),
    ]


def _was_deployed(config: AgentConfig) -> bool:
    try:
        return slots.load(config.state / "update" / "slots.json").floor > 0
    except (LamplightError, ValueError, OSError):
        return False


def _state(config: AgentConfig) -> list[Check]:
    update = config.state / "update"
    return [
        Check("state.folder", partial(credentials.unchangeable, config.state)),
        Check("state.ledger", partial(state.ledger, update)),
        Check("state.store", partial(state.store, update), _STORE_PATIENCE),
        Check("state.failed", partial(state.failed, update)),
        Check("state.withdrawn", partial(state.withdrawn, update)),
        Check("state.outbox", partial(state.outbox, config.state / "outbox.db")),
    ]


def _machine(config: AgentConfig) -> list[Check]:
    return [
        Check("python.version", libraries.python),
        Check("python.libraries", libraries.required),
        Check("python.ai", libraries.inference),
        Check("sandbox", partial(sandbox.features, config.confinement.require), sandbox.PATIENCE + 5),
    ]


def _hardware(config: AgentConfig) -> list[Check]:
    try:
        board = boards.load(config.board)
    except LamplightError as error:
        found = fail(str(error), "Name one of the boards that there are in agent.toml")
        return [Check("board", lambda: found)]
    simulation = config.simulation
    return [
        *(Check(f"bus.{name}", partial(sensor.bus, each, simulation)) for name, each in board.buses.items()),
        *(Check(f"sensor.{name}", partial(sensor.sensor, board, name, simulation), 30.0) for name in board.sensors),
        *(
            Check(f"pin.{name}", lambda each=each: pins.pin(each, simulation, process.running(config.state)))
            for name, each in board.pins.items()
        ),
        Check("triggers", lambda: triggers.triggers(config.state, process.running(config.state))),
        Check("runtime.zygote", partial(zygote.starts, board, simulation), zygote.PATIENCE),
    ]
