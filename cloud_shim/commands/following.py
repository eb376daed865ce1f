"""Shows a deployment's way to its end: progress on stderr, the outcome on stdout, a refusal as an error.

Shared by the commands that deploy. It does not deploy.
"""

import time
from typing import Any, TypeVar

import click

from cloud_shim import outcome
from cloud_shim.commands.arguments import Options
from cloud_shim.outcome import Outcome
from cloud_shim.terminal import Terminal
from device.errors import RejectedError

_F = TypeVar("_F", bound=Any)


def waiting_options(function: _F) -> _F:
    """Adds --wait/--no-wait and --timeout."""
    function = click.option(
        "--timeout", type=click.FloatRange(min=0), default=120.0, show_default=True, help="Seconds to wait at most."
    )(function)
    return click.option(
        "--wait/--no-wait", default=True, help="Wait until the device runs it for good, or refuses it."
    )(function)


def follow(
    options: Options, device: str, generation: int, about: dict[str, Any], started: float, wait: bool, timeout: float
) -> None:
    """Wait for the outcome (if asked to) and show it with `about`, what was deployed.

    `started` is when it began, on the monotonic clock. Raises RejectedError when the device refused or reverted it,
    OfflineError when it takes longer than `timeout` seconds.
    """
    terminal, online = options.terminal, options.client.device(device)["online"]
    if not online:
        terminal.say(f"{device} is offline; generation {generation} will be applied when it is back.")
    told = {**about, "device": device, "generation": generation}
    if not wait:
        terminal.data({**told, "state": "WAITING"}, [(f"{device}: generation {generation} asked for", "")])
        return
    end = outcome.wait(
        options.client, device, generation, timeout, lambda now: _progress(terminal, now, time.monotonic() - started)
    )
    seconds = time.monotonic() - started
    if not end.good:
        raise RejectedError(
            f"{device} has {_what(end)} generation {generation}", end.reason, f"`lamplight logs {device}`"
        )
    terminal.data(
        {**told, "state": end.state, "seconds": round(seconds, 2)},
        [(f"{device}: generation {generation} ", ""), (end.state, "green"), (f" after {seconds:.1f} s", "")],
    )


def _what(end: Outcome) -> str:
    return "REJECTED" if end.state == "REJECTED" else "REVERTED"


def _progress(terminal: Terminal, now: Outcome, seconds: float) -> None:
    if now.state == "FETCHING":
        terminal.transient(f"  {seconds:5.1f} s  FETCHING {now.progress:.0%}")
    elif not now.final:
        terminal.say((f"  {seconds:5.1f} s  ", "dim"), now.state)
