"""The update engine's account of itself, for REPORTED and for the records of the `events` stream.

`Update` is the value, `Reporter` keeps the present one and tells its listeners. The decisions are the engine's,
and the final states the protocol's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from device.protocol.reported import COMMITTED, REVERTED
from device.update.slots import Slots

IDLE = "IDLE"
VERIFIED = "VERIFIED"
FETCHING = "FETCHING"
STAGED = "STAGED"
TRIAL = "TRIAL"

# Seconds at least between two reports of a download's progress.
PROGRESS_PERIOD = 1.0


@dataclass(frozen=True)
class Update:
    """Where the engine stands.

    `generation` runs, and `previous` is the one to fall back to (0: none). `update` is the generation of `state` and
    `reason`, `part` its function or model to blame, as "functions/lamp", if one is known; `bytes` of `total` to travel
    are stored, at present `rate` bytes a second, for artifacts of `whole` bytes: patches make `total` less than
    `whole`. `failed` maps reverted generations to the reason, `evidence` the latest of them to the grounds of the
    verdict.
    """

    generation: int = 0
    previous: int = 0
    update: int = 0
    state: str = IDLE
    reason: str = ""
    part: str = ""
    bytes: int = 0
    total: int = 0
    whole: int = 0
    rate: int = 0
    failed: Mapping[int, str] = field(default_factory=dict[int, str])
    evidence: Mapping[int, Mapping[str, object]] = field(default_factory=dict[int, Mapping[str, object]])


class Reporter:
    """Keeps the present status; `changed` is called when it has changed, `event` with each transition.

    `others` are reasons for reverted generations, beyond those in the slots.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        event: Callable[[Update], None],
        clock: Callable[[], float],
        others: Mapping[int, str],
    ) -> None:
        self.status = Update()
        self._others = others
        self._changed = changed
        self._event = event
        self._clock = clock
        self._last_progress = clock()

    def transition(
        self, slots: Slots, generation: int, state: str, reason: str = "", aside: bool = False, part: str = ""
    ) -> None:
        """Deployment `generation` got into `state`: an event, and the new status unless it is only an `aside`."""
        told = self._numbered(Update(update=generation, state=state, reason=reason, part=part), slots)
        if generation == self.status.update:
            told = replace(told, bytes=self.status.bytes, total=self.status.total, whole=self.status.whole)
        self._event(told)
        self._show(self._numbered(self.status, slots) if aside else told)

    def rest(self, slots: Slots) -> None:
        """The engine is idle: the status follows from the slots."""
        active = slots.active.generation if slots.active else 0
        reason = self._failures(slots).get(slots.floor)
        if reason is not None:
            told = Update(update=slots.floor, state=REVERTED, reason=reason)
        else:
            told = Update(update=active, state=COMMITTED if active else IDLE)
        self._show(self._numbered(told, slots))

    def fetching(self, stored: int, total: int, whole: int) -> None:
        """A download begins, of artifacts of `whole` bytes; so much of it is stored from before."""
        self._last_progress = self._clock()
        self._show(replace(self.status, bytes=stored, total=total, whole=whole, rate=0))

    def progress(self, stored: int) -> None:
        """So much of the download is stored; told at most once a period, and when it is complete.

        It is also to be called when nothing new has come: the rate sinks then.
        """
        now = self._clock()
        took = now - self._last_progress
        if took >= PROGRESS_PERIOD:
            rate = round((stored - self.status.bytes) / took)
            # Halfway to the new one: a single slow second is normal.
            self._last_progress, rate = now, (self.status.rate + rate) // 2 if self.status.rate else rate
            self._show(replace(self.status, bytes=stored, rate=rate))
        elif stored == self.status.total:
            self._show(replace(self.status, bytes=stored))

    def _show(self, told: Update) -> None:
        self.status = told
        self._changed()

    def _numbered(self, told: Update, slots: Slots) -> Update:
        fallback = slots.active if slots.trial else slots.previous
        return replace(
            told,
            generation=slots.running.generation if slots.running else 0,
            previous=fallback.generation if fallback else 0,
            failed=self._failures(slots),
            evidence={failure.generation: failure.evidence for failure in slots.failed.values() if failure.evidence},
        )

    def _failures(self, slots: Slots) -> dict[int, str]:
        return {**self._others, **{failure.generation: failure.reason for failure in slots.failed.values()}}
