"""The fate of a deployment, as the device tells it.

`judge` is pure; `wait` asks the shim until there is an answer. Deploying and printing are the caller's.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cloud_shim.words import transfer
from cloud_shim.words.transfer import Transfer, Travelled
from device.errors import LamplightError, OfflineError
from device.protocol import reported
from device.protocol.deployment import AGENT
from device.protocol.reported import FINAL, SUPERSEDED, WAITING, Evidence

# The same change goes on under another number.
CONTINUED = "CONTINUED"
_POLL = 0.1  # seconds


@dataclass(frozen=True)
class Outcome:
    """Where a generation stands: a state of docs/protocol/updates.md, WAITING at first, SUPERSEDED or CONTINUED.

    `transfer` is its progress while it is fetched. `travelled` is the amount fetched, while the device still tells.
    `evidence` holds the grounds of a failed trial's verdict. `generation` is set by `wait`: the last one waited for.
    """

    state: str
    reason: str = ""
    transfer: Transfer | None = None
    travelled: Travelled | None = None
    evidence: Evidence = field(default_factory=lambda: Evidence({}))
    generation: int = 0

    @property
    def final(self) -> bool:
        """Whether the device is done with it."""
        return self.state in FINAL

    @property
    def good(self) -> bool:
        """Whether the device runs it for good."""
        return self.state == "COMMITTED"


class Shim(Protocol):
    """The part of Client needed for waiting."""

    def device(self, name: str) -> dict[str, Any]:
        """One DEVICE."""
        ...


def judge(device: dict[str, Any], generation: int) -> Outcome:
    """Where `generation` stands on this DEVICE."""
    report = reported.known(device["reported"])
    for failed in device.get("failed", []):
        if failed["generation"] == generation:
            grounds = report.evidence.get(generation) if report else None
            return Outcome(failed["state"], failed["reason"], evidence=grounds or Evidence({}))
    if report is None:
        return Outcome(WAITING)
    stands, update = report.standing(generation), report.update
    about = update.generation == generation
    return Outcome(
        stands.state,
        stands.reason,
        transfer.of(update) if about else None,
        transfer.travelled(update) if about and update.state == "COMMITTED" else None,
        stands.evidence,
    )


def goes_on(device: dict[str, Any], generation: int) -> int:
    """The generation that carries this one's request on: a later one when another part of this one failed."""
    continued: dict[str, int] = device.get("continued", {})
    while str(generation) in continued:
        generation = continued[str(generation)]
    return generation


def wait(
    shim: Shim,
    device: str,
    generation: int,
    timeout: float,
    progress: Callable[[Outcome], None] = lambda outcome: None,
    release: tuple[str, str, int] | None = None,
) -> Outcome:
    """The final outcome of `generation`, or of its continuation; `progress` hears of each change on the way.

    A newer deployment with the same `release` (its kind, name and version) is waited for in its place. Raises
    OfflineError after `timeout` seconds, and LamplightError when a newer deployment without it took its place.
    """
    deadline = time.monotonic() + timeout
    last = None
    while True:
        seen = shim.device(device)
        if (other := goes_on(seen, generation)) != generation:
            progress(Outcome(CONTINUED, f"something else in generation {generation} failed: now generation {other}"))
            generation = other
        outcome = judge(seen, generation)
        if outcome != last:
            progress(outcome)
            last = outcome
        if outcome.final:
            return replace(outcome, generation=generation)
        if outcome.state == SUPERSEDED and release and (newer := _newer(seen, generation, release)):
            progress(Outcome(CONTINUED, f"generation {newer} took its place, and has it too"))
            generation = newer
        elif outcome.state == SUPERSEDED:
            raise LamplightError(
                f"Generation {generation} was overtaken by a newer deployment", "", f"`lamplight status {device}`"
            )
        if time.monotonic() > deadline:
            raise _too_late(seen, generation, outcome, timeout)
        time.sleep(_POLL)


def _newer(device: dict[str, Any], generation: int, release: tuple[str, str, int]) -> int:
    """The DEVICE's newer desired generation, if it has the same release; else 0."""
    kind, name, version = release
    desired: dict[str, Any] = device["desired"]
    parts: dict[str, Any] = {AGENT: desired.get("agent")} if kind == "agent" else desired[f"{kind}s"]
    part: dict[str, Any] = parts.get(name) or {}
    same = part.get("version") == version
    return desired["generation"] if same and desired["generation"] > generation else 0


def _too_late(device: dict[str, Any], generation: int, outcome: Outcome, timeout: float) -> OfflineError:
    name = device["name"]
    if not device["online"]:
        return OfflineError(
            f"{name} is offline",
            f"generation {generation} will be applied when it is back",
            f"`lamplight status {name}`",
        )
    return OfflineError(
        f"{name} has not finished generation {generation} within {timeout:g} s",
        f"it is {outcome.state}",
        f"`lamplight logs {name}`, or --timeout with more seconds",
    )
