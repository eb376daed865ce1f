"""The board's pins: is a line held by another program than the agent. Lines are only looked at, never requested."""

import errno
from collections.abc import Callable
from pathlib import Path

from boards import BoardPin
from device.doctor.check import Finding, fail, ok, skip
from device.hal.sim.link import Link

_LET_GO = "End the program that holds it (`gpioinfo` shows its name), or take another pin in the board file"


def judge(used: bool, consumer: str, agent_runs: bool) -> Finding:
    """A line `used` by `consumer` ("" for one giving no name), with the agent running or not."""
    if not used:
        return ok("free")
    by = f"held by {consumer}" if consumer else "held by a program that gives no name"
    return ok(f"{by}; the agent runs, and its functions use pins") if agent_runs else fail(by, _LET_GO)


def pin(of: BoardPin, simulation: Path | None, agent_runs: bool) -> Finding:
    """One pin of the board."""
    if simulation is not None:
        return _simulated(of, simulation, agent_runs)
    info = _line_info(of.line)
    if info is None:
        return skip("no GPIO controller of a board was found here", "Name the board that this is in agent.toml")
    return judge(*info, agent_runs)


def _simulated(of: BoardPin, simulation: Path, agent_runs: bool) -> Finding:
    if agent_runs:
        return skip("the agent runs: trying the simulated line could take it from a function")
    link = Link(simulation)
    try:
        link.ask("request", lines=[of.line])
        return judge(False, "", agent_runs)
    except OSError as error:
        if error.errno == errno.EBUSY:
            return judge(True, "", agent_runs)
        raise
    finally:
        # All lines of this connection are let go with it.
        link.close()


def _line_info(
    line: int, chips: Callable[[], list[Path]] = lambda: sorted(Path("/dev").glob("gpiochip*"))
) -> tuple[bool, str] | None:
    """Whether the line is used, and by whom, on the controller of the header's pins; None without a controller."""
    import gpiod

    for path in chips():
        with gpiod.Chip(str(path)) as chip:
            if chip.get_info().label.startswith("pinctrl-"):
                info = chip.get_line_info(line)
                return info.used, info.consumer
    return None
