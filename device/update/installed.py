"""The running generation: starts it at boot, puts a new one on trial, and commits it or goes back to the one before.

    TRIAL → COMMITTED | REVERTED

None of it needs a network. The judge gives the verdict (trial/judge.py), slots_file.py keeps the slots on disk, and
engine.py brings a generation here.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from device.errors import BusyError, LamplightError, RejectedError
from device.generation import Generation
from device.protocol.deployment import Deployment
from device.protocol.errors import ProtocolError
from device.protocol.reported import COMMITTED, REJECTED, REVERTED
from device.protocol.withdrawn import Withdrawal
from device.update import slots, stage, status, withdrawals
from device.update.ports import Runner
from device.update.slots_file import SlotsFile
from device.update.stage import DamagedError
from device.update.status import Reporter
from device.update.store import Store
from device.update.trial import baseline
from device.update.trial import judge as trial
from device.update.trial.baseline import BUSY

_log = logging.getLogger(__name__)


@dataclass
class _Trying:
    deployment: Deployment
    trial: trial.Trial
    since: float


class Installed:
    """Takes the installed generation from one boot to the next; for the update thread, and for `boot` before it.

    `withdrawn` gives the withdrawn releases known now.
    """

    def __init__(
        self,
        file: SlotsFile,
        store: Store,
        runner: Runner,
        reporter: Reporter,
        clock: Callable[[], float],
        withdrawn: Callable[[], Sequence[Withdrawal]],
    ) -> None:
        self._file = file
        self._store = store
        self._runner = runner
        self._reporter = reporter
        self._clock = clock
        self._withdrawn = withdrawn
        self._trying: _Trying | None = None
        self._closing = False

    @property
    def in_trial(self) -> bool:
        """Whether a generation is on trial."""
        return self._trying is not None

    def close(self) -> None:
        """Judge no more: the runtime is about to end. From any thread."""
        self._closing = True

    def boot(self, agents: int, safe: bool = False) -> Generation:
        """Start and give the installed generation, without any network; generation 0 when there is none.

        A generation in trial uses up one of its starts before it is started. A function of the active one is held back
        if it fails to start, and the others run. A damaged or failing trial, and a generation with all its functions
        failing to start, are passed over for the one before. `agents` is the generation of the agent's version on
        trial, or 0. In safe mode (`safe`) all functions stay stopped and installed. Raises OSError when the disk fails
        to give the installed generation, except in safe mode: a board must be in reach where only a new deployment
        helps.
        """
        self._load(safe)
        if safe:
            self._runner.resume(Generation(0))
            self._reporter.rest(self._file.slots)
            return Generation(0)
        generation = self._resume()
        if self._file.slots.trial is not None:
            self._watch(self._file.slots.trial, generation)
        elif agents:
            self._report(agents, status.TRIAL)
        else:
            self._reporter.rest(self._file.slots)
        return generation

    def _load(self, safe: bool) -> None:
        try:
            before = self._file.load()
        except (ProtocolError, OSError) as error:
            # The disk may work again at the next start.
            if isinstance(error, OSError) and not safe:
                raise
            self._report(0, REJECTED, f"{error}; starting with nothing installed")
            return
        try:
            # Durable before any new code starts: code fatal to the board must run out of starts.
            self._file.save(slots.boot(before))
        except OSError as error:
            # An uncounted start must not be made; a proven generation starts on any disk.
            self._file.slots = slots.lose(before)
            self._report(before.floor, REJECTED, f"its trial waits for the next start: {text(error)}")
            return
        if before.trial is not None and self._file.slots.trial is None:
            self._report_failure(before.trial)

    def _resume(self) -> Generation:
        """Run the generation of the slots, or the best runnable one, and give it."""
        while (deployment := self._file.slots.running) is not None:
            try:
                generation = self._staged(deployment)
                self._check_worth(deployment, generation)
                self._runner.resume(generation)
                tell_held(generation)
                return generation
            except Exception as error:
                self._pass_over(deployment, error)
        self._runner.resume(Generation(0))
        return Generation(0)

    def _staged(self, deployment: Deployment) -> Generation:
        """Its generation, without the functions that have run here before and cannot start now."""
        damaged = stage.damaged(deployment, self._store)
        return self.stage(deployment, damaged)

    def stage(self, deployment: Deployment, damaged: Collection[str] = ()) -> Generation:
        """Its generation from the files on disk, as far as it may run here; raises the errors of stage.generation."""
        active = self._file.slots.active
        return self._runner.fitting(stage.generation(deployment, self._store, active, damaged, self._withdrawn()))

    def _check_worth(self, deployment: Deployment, generation: Generation) -> None:
        """Raise RejectedError when none of its functions can start, and some of the one before can.

        A withdrawal is no reason to go back: a person decides what runs in place of a withdrawn release.
        """
        previous = self._file.slots.previous
        if withdrawals.concerned(deployment, self._withdrawn()):
            return
        if generation.functions or not generation.held or self._file.slots.trial or previous is None:
            return
        if stage.generation(previous, self._store, previous, stage.damaged(previous, self._store)).functions:
            raise RejectedError("; ".join(each.reason for each in generation.held.values()))

    def _pass_over(self, deployment: Deployment, error: Exception) -> None:
        # An OSError is the board's fault, and says little of the generation.
        if deployment is self._file.slots.trial and not isinstance(error, (OSError, DamagedError)):
            self._file.settle(slots.revert(self._file.slots, text(error), _not_started(error)))
            self._report_failure(deployment)
            return
        # Left unsaved: a committed generation may fail to start today and start tomorrow.
        self._file.slots = slots.lose(self._file.slots)
        self._report(deployment.generation, REJECTED, text(error))

    def heed(self, before: Sequence[Withdrawal]) -> None:
        """Releases were withdrawn that were not in the list `before`, or a list under new keys has fewer.

        Stop those that run here, and start the others; a trial of one is over, another trial begins anew.
        """
        trial, active = self._file.slots.trial, self._file.slots.active
        if not any(withdrawals.concerned(self._file.slots.running, each) for each in (before, self._withdrawn())):
            return
        refusal = withdrawals.refusal(trial, self._withdrawn(), active) if trial else None
        if refusal:
            self._revert(str(refusal), aside=False, evidence=_not_started(refusal))
            return
        generation = self._resume()
        if trial and trial is self._file.slots.trial:
            self._watch(trial, generation)

    def begin(self, deployment: Deployment) -> None:
        """Put it on trial, durably, before any of its code starts; keep how the running one does. Raises OSError."""
        now = baseline.take(self._runner.health(), self._runner.sensors())
        self._file.save(slots.begin_trial(self._file.slots, deployment, now))

    def switch(self, deployment: Deployment, generation: Generation) -> bool:
        """Run the generation put on trial by `begin`; False when it failed, and the one before runs again."""
        self._trying = None
        try:
            self._runner.switch(generation)
        except Exception as error:
            self._revert(text(error), aside=False, evidence=_not_started(error))
            return False
        self._watch(deployment, generation)
        return True

    def judge(self, aside: bool) -> bool:
        """Look at the trial, if there is one; True when this ended it. `aside`: another deployment is in progress."""
        if self._trying is None:
            return False
        elapsed = self._clock() - self._trying.since
        match trial.judge(self._trying.trial, self._runner.health(), self._runner.sensors(), elapsed):
            case trial.Wait():
                pass
            case trial.Commit():
                self._commit(self._trying.deployment, aside)
            case trial.Revert(reason, evidence):
                self._revert(reason, aside, evidence)
        return not self.in_trial

    def _watch(self, deployment: Deployment, generation: Generation) -> None:
        # Unchanged functions have proved themselves already.
        old = Generation(0, {name: each for name, each in generation.functions.items() if name in generation.proven})
        rules = trial.trial(
            old, generation, deployment.trial_seconds, deployment.trial_events, self._file.slots.baseline
        )
        self._trying = _Trying(deployment, rules, self._clock())
        self._report(deployment.generation, status.TRIAL)

    def _commit(self, deployment: Deployment, aside: bool) -> None:
        now = baseline.take(self._runner.health(), self._runner.sensors())
        self._file.save(slots.commit(self._file.slots, now))
        self._trying = None
        self._report(deployment.generation, COMMITTED, aside=aside)

    def _revert(self, reason: str, aside: bool, evidence: Mapping[str, object] = MappingProxyType({})) -> None:
        if self._closing:
            # The runtime is being closed under a thread too busy to end: this generation is blameless.
            return
        failed = self._file.slots.trial
        # A failed generation must stop, even where the disk refuses to record it now.
        self._file.settle(slots.revert(self._file.slots, reason, evidence))
        self._trying = None
        self._resume()
        if failed:
            self._report_failure(failed, aside)

    def _report_failure(self, deployment: Deployment, aside: bool = False) -> None:
        reason = self._file.slots.failed[slots.fingerprint(deployment)].reason
        self._report(deployment.generation, REVERTED, reason, aside)

    def _report(self, generation: int, state: str, reason: str = "", aside: bool = False) -> None:
        self._reporter.transition(self._file.slots, generation, state, reason, aside)


def _not_started(error: Exception) -> dict[str, object]:
    kind, _, name = part(error).partition("/")
    who = {"function": name} if kind == "functions" else {}
    why = BUSY if isinstance(error, BusyError) else "start"
    return {"kind": why, **who, "last_error": text(error)[-trial.MAX_ERROR :]}


def tell_held(generation: Generation) -> None:
    """Say why each stopped function is stopped."""
    for name, held in generation.held.items():
        _log.error("%s version %s does not run: %s", name, held.version, held.reason)


def part(error: Exception) -> str:
    """The function or model it is about, or ""."""
    return error.part if isinstance(error, LamplightError) else ""


def text(error: Exception) -> str:
    """An error's text, or else its representation."""
    return str(error) or repr(error)
