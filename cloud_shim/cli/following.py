"""Shows a deployment's way to its end: progress on stderr, the outcome on stdout, a refusal as an error.

Shared by the deploying commands. The deployment itself is theirs.
"""

import time
from typing import Any, TypeVar

import click

from cloud_shim.cli import outcome
from cloud_shim.cli.options import Options
from cloud_shim.cli.outcome import Outcome
from cloud_shim.cli.terminal import Terminal
from cloud_shim.words import evidence
from cloud_shim.words.transfer import Transfer
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
    """Wait for the outcome (if asked to) and show it with `about`, the facts on the deployed release.

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
    end = outcome.wait(options.client, device, generation, timeout, _Progress(terminal, started).show, _release(about))
    seconds = time.monotonic() - started
    generation = told["generation"] = end.generation
    if not end.good:
        terminal.data({**told, "state": end.state, "reason": end.reason, "evidence": end.evidence.to_json()})
        for line in evidence.lines(end.evidence):
            terminal.say(line)
        raise RejectedError(f"{device} has {end.state} generation {generation}", end.reason, _remedy(device))
    terminal.data(
        {**told, "state": end.state, "seconds": round(seconds, 2), "travelled": end.travelled and end.travelled.sent},
        [
            (f"{device}: generation {generation} ", ""),
            (end.state, "green"),
            (f" after {seconds:.1f} s", ""),
            (f", {end.travelled.text}" if end.travelled else "", ""),
        ],
    )


def _release(about: dict[str, Any]) -> tuple[str, str, int] | None:
    """The deployed release: its kind, name and version; None for any other deployment."""
    return (about["kind"], about["name"], about["version"]) if about.get("version") else None


def _remedy(device: str) -> str:
    return f"{device} runs what it ran before. Correct it and deploy again; `lamplight logs {device}` has more"


class _Progress:
    """The way to the end: a line for each state, and for a download a rewritten line, or a line for each tenth."""

    def __init__(self, terminal: Terminal, started: float) -> None:
        self._terminal = terminal
        self._started = started
        self._tenth = -1

    def show(self, now: Outcome) -> None:
        """Something changed."""
        seconds = f"  {time.monotonic() - self._started:5.1f} s  "
        if now.transfer:
            self._fetching(seconds, now.transfer)
        elif now.state == outcome.CONTINUED:
            self._terminal.say((seconds, "dim"), now.reason)
        elif not now.final:
            self._terminal.say((seconds, "dim"), now.state)

    def _fetching(self, seconds: str, transfer: Transfer) -> None:
        told = f"FETCHING {transfer.share:4.0%}  {transfer.text}"
        if self._terminal.watched:
            self._terminal.transient(f"{seconds}{told}")
        elif (tenth := int(10 * transfer.share)) > self._tenth:
            self._tenth = tenth
            self._terminal.say(seconds, told)
