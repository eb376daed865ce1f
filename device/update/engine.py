"""The update thread: takes deployments from a desired state to a running, proven generation.

    IDLE → VERIFIED → FETCHING → STAGED → TRIAL → COMMITTED | REVERTED       or REJECTED, with nothing switched

It does one thing after the other and leaves the decisions to trust, reconcile, fetch and slots, and everything from
TRIAL on to installed.py. The runtime of the functions (`Runner`) and the carrier of the chunks (`ChunkLink`) are handed
in. The running generation goes on through every failure here.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from device import durable
from device.artifact import patch
from device.artifact.patch import BadPatchError
from device.errors import BusyError, LamplightError, UntrustedError, about
from device.generation import Generation
from device.infer.acceptance import AbandonedError
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.messages import MAX_WANT
from device.protocol.reported import REJECTED
from device.protocol.withdrawn import Withdrawal
from device.trust.verifier import RefusedError, Verifier
from device.update import reconcile, slots, stage, status, withdrawals
from device.update.agent.self_update import SelfUpdate
from device.update.fetching import patched
from device.update.fetching.download import Actions, Download
from device.update.fetching.patched import Delivery
from device.update.inbox import Chunk, Connected, Desired, Inbox, Stop
from device.update.installed import Installed, part, tell_held, text
from device.update.ports import ChunkLink, Runner
from device.update.slots_file import SlotsFile
from device.update.status import Reporter, Update
from device.update.store import Store
from device.update.withdrawals import WithdrawnError

# Seconds between two looks at a trial.
TRIAL_PERIOD = 0.1
# Seconds a model may take to be loaded and to run its golden vectors.
ACCEPTANCE_TIMEOUT = 120.0
STOP_TIMEOUT = 5.0

_log = logging.getLogger(__name__)


@dataclass
class _Fetching:
    deployment: Deployment
    delivery: Delivery
    download: Download


class Engine:
    """One device's updates, with everything they keep in the folder `state`.

    `roots` is the folder with director-root.json and image-root.json. `changed` is called whenever `status` has
    changed, `event` with each transition; `accept(folder, timeout, abandoned)` raises LamplightError for an unusable
    model, AbandonedError once `abandoned` says there is something newer. All three are called on the update thread, or
    inside `boot`. `own` replaces the agent itself.
    """

    def __init__(
        self,
        state: Path,
        fleet: str,
        device: str,
        roots: Path,
        runner: Runner,
        chunks: ChunkLink,
        changed: Callable[[], None],
        event: Callable[[Update], None],
        accept: Callable[[Path, float, Callable[[], bool]], None],
        own: SelfUpdate,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        durable.make_folder(state)
        durable.sweep(state)
        self._file = SlotsFile(state / "slots.json")
        self._store = Store(state)
        self._verifier = Verifier(state, fleet, device, roots)
        self._runner = runner
        self._link = chunks
        self._accept = accept
        self._own = own
        self._clock = clock
        self._reporter = Reporter(changed, event, clock, own.failures())
        self._fetching: _Fetching | None = None
        self._installed = Installed(
            self._file, self._store, runner, self._reporter, clock, lambda: self._verifier.withdrawn
        )
        self._believed = ""
        self._rejected = 0
        self._fault = ""
        self._inbox = Inbox()
        self._thread = threading.Thread(target=self._run, name="update", daemon=True)

    # Called by other threads

    def start(self) -> None:
        """Start the update thread; `boot` comes first."""
        self._thread.start()

    def stop(self) -> None:
        """End the update thread. An update in progress goes on at the next boot."""
        self._installed.close()
        self._inbox.put(Stop())
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT)

    def desired(self, payload: bytes) -> None:
        """A DESIRED document arrived."""
        self._inbox.put(Desired(payload))

    def chunk(self, digest: str, payload: bytes) -> None:
        """A chunk arrived on the topic of this digest."""
        self._inbox.put(Chunk(digest, payload))

    def connected(self) -> None:
        """The link is there, or there again with its subscriptions gone."""
        self._inbox.put(Connected())

    def status(self) -> Update:
        """Where the engine stands."""
        return self._reporter.status

    def withdrawn(self) -> int:
        """The number of withdrawals this board knows."""
        return len(self._verifier.withdrawn)

    def boot(self) -> Generation:
        """Start and give the installed generation, without any network; generation 0 if there is none, or in safe mode.

        Before `start`.
        """
        return self._installed.boot(self._own.trial(), self._own.safe)

    # The update thread

    def _run(self) -> None:
        while not isinstance(message := self._inbox.take(self._pause()), Stop):
            try:
                self._handle(message)
                self._step()
            except Exception as error:
                # A full or failing disk, or a fault of ours: this deployment is refused, the next one gets its turn.
                self._refuse_current(text(error), again=isinstance(error, OSError))

    def _pause(self) -> float | None:
        """How long the thread may sleep between messages."""
        if self._installed.in_trial:
            return TRIAL_PERIOD
        due = self._fetching.download.due() if self._fetching else None
        return None if due is None else max(0.0, due - self._clock())

    def _handle(self, message: Desired | Chunk | Connected | None) -> None:
        match message:
            case Desired():
                self._believe(message.payload)
            case Chunk():
                self._receive(message)
            case Connected() if self._fetching:
                self._act(self._fetching.download.again(self._clock()))
            case _:
                pass

    def _step(self) -> None:
        if self._installed.judge(aside=bool(self._fetching)):
            self._tidy()
        if self._fetching:
            download = self._fetching.download
            self._act(download.step(self._clock()))
            self._reporter.progress(download.stored)
            if self._link.connected and download.given_up(self._fetching.delivery.patched_by()):
                self._without_patches(self._fetching, "The patch does not come")
                self._step()
                return
            # One switch at a time: the agent is replaced only between trials of generations.
            if download.done and not (self._installed.in_trial and self._own.plan(self._fetching.deployment)):
                self._install(self._fetching)

    def _act(self, actions: Actions) -> None:
        if actions.unsubscribe:
            self._link.unsubscribe(actions.unsubscribe)
        if actions.subscribe:
            self._link.subscribe(actions.subscribe)
        for start in range(0, len(actions.want), MAX_WANT):
            self._link.want(actions.want[start : start + MAX_WANT])

    # From DESIRED to FETCHING

    def _believe(self, payload: bytes) -> None:
        digest, before = chunks.digest(payload), self._verifier.withdrawn
        if digest == self._believed:
            self._tidy()
            return
        try:
            deployment = self._verifier.believe(payload, self._file.slots.floor, self._file.slots.signer)
        except UntrustedError as error:
            # The update in progress must go on undisturbed, whatever the sender.
            busy = bool(self._fetching) or self._installed.in_trial
            self._report(self._claimed(error), REJECTED, str(error), aside=busy)
            return
        self._file.save(slots.believe(self._file.slots, deployment.generation, self._verifier.signer))
        self._believed = digest
        self._heed(before)
        self._plan(deployment)

    def _heed(self, before: Sequence[Withdrawal]) -> None:
        """Stop what was withdrawn since `before`, and fetch no more of it. In safe mode nothing runs."""
        known = self._verifier.withdrawn
        if [each.to_json() for each in known] == [each.to_json() for each in before]:
            return
        if self._fetching and (refusal := self._withdrawn(self._fetching.deployment)):
            self._refuse(self._fetching.deployment, str(refusal), part=refusal.part)
        if not self._own.safe:
            self._installed.heed(before)

    def _withdrawn(self, deployment: Deployment) -> WithdrawnError | None:
        """The reason to refuse a deployment with a withdrawn release, if it has one."""
        other_agent = self._own.plan(deployment) is not None
        return withdrawals.refusal(deployment, self._verifier.withdrawn, self._file.slots.active, other_agent)

    def _claimed(self, error: UntrustedError) -> int:
        """The generation of a refused document; 0 when it is installed or on its way: it stays so."""
        claimed = error.claimed if isinstance(error, RefusedError) else 0
        slots = (self._file.slots.active, self._file.slots.trial)
        known = {self._fetching.deployment.generation} if self._fetching else set[int]()
        return 0 if claimed in {*known, *(each.generation for each in slots if each)} else claimed

    def _plan(self, deployment: Deployment) -> None:
        current = self._fetching
        if deployment.generation == self._rejected or (
            current and current.deployment.generation == deployment.generation
        ):
            return
        if refusal := self._withdrawn(deployment):
            self._refuse(deployment, str(refusal), part=refusal.part)
            return
        match self._own.plan(deployment) or reconcile.plan(self._file.slots, deployment, self._store.trees()):
            case reconcile.Nothing():
                if not self._installed.in_trial:
                    self._reporter.rest(self._file.slots)
                self._tidy()
            case reconcile.Reject(reason):
                self._refuse(deployment, reason)
            case reconcile.Install(missing):
                self._report(deployment.generation, status.VERIFIED)
                self._begin(deployment, missing)

    def _begin(self, deployment: Deployment, missing: Sequence[ArtifactRef], refused: str = "") -> None:
        """Fetch the missing artifacts; whole, when `refused` says why a patch was of no use."""
        self._abandon()
        self._fault = ""
        try:
            plan = patched.choose(missing, self._store.trees() if patch.available() and not refused else ())
            download = Download(plan.fetched, self._store, random.Random())
            fetching = _Fetching(deployment, plan, download)
            self._collect(fetching)
            # The missing bytes of the download, and of the trees to be made of it.
            self._store.check_room(download.total - download.stored + plan.length)
        except Exception as error:
            self._refuse(deployment, text(error), again=isinstance(error, OSError))
            return
        self._fetching = fetching
        self._reporter.fetching(download.stored, download.total, plan.length)
        if not download.done:
            self._report(deployment.generation, status.FETCHING, refused)

    def _receive(self, chunk: Chunk) -> None:
        fetching = self._fetching
        if fetching is None:
            return
        try:
            places = fetching.download.receive(chunk.digest, chunk.payload, self._clock())
        except LamplightError as error:
            if fetching.delivery.patches:
                self._without_patches(fetching, str(error))
            else:
                self._refuse(fetching.deployment, str(error))
            return
        for place in places:
            self._store.write(place.blob, place.offset, chunk.payload)

    def _without_patches(self, fetching: _Fetching, reason: str) -> None:
        """A patch was of no use: its artifact is fetched whole."""
        _log.warning("%s; fetching whole artifacts instead", reason)
        there = self._store.trees()
        lacking = [ref for ref in fetching.delivery.missing if ref.digest not in there]
        self._begin(fetching.deployment, lacking, refused=reason)

    def _abandon(self) -> None:
        if self._fetching:
            self._link.unsubscribe(self._fetching.download.asked())
            self._fetching = None

    # From FETCHING to TRIAL

    def _install(self, fetching: _Fetching) -> None:
        """Everything has arrived: unpack, check, switch."""
        self._fetching = None
        deployment = fetching.deployment
        try:
            if self._own.plan(deployment):
                self._hand_over(fetching)
                return
            fetching.delivery.unpack(self._store, fetching.download.chunks)
            generation = self._installed.stage(deployment)
            stage.check_code(generation, self._file.digests())
            self._accept_models(generation)
            self._report(deployment.generation, status.STAGED)
            self._runner.check(generation)
            self._own.begin_afresh()
            self._installed.begin(deployment)
        except BadPatchError as error:
            self._without_patches(fetching, text(error))
            self._step()
            return
        except AbandonedError:
            # It goes on where it was, unless the new document replaces it.
            self._fetching = fetching
            return
        except Exception as error:
            self._refuse(deployment, text(error), again=isinstance(error, (OSError, BusyError)), part=part(error))
            return
        tell_held(generation)
        if not self._installed.switch(deployment, generation):
            self._tidy()

    def _hand_over(self, fetching: _Fetching) -> None:
        """The new version of the agent takes this deployment up again, once it has proved itself."""
        deployment = fetching.deployment
        for ref in fetching.delivery.fetched:
            self._store.verify(ref.digest, ref.length, fetching.download.chunks(ref))
        running = [name for name, each in self._runner.health().items() if each.state == "running"]
        artifact = self._store.blob(deployment.agent.digest) if deployment.agent else None
        self._report(deployment.generation, status.STAGED)
        self._own.hand_over(deployment, artifact, running)

    def _accept_models(self, generation: Generation) -> None:
        for model in generation.models.values():
            if model.digest not in self._file.slots.accepted:
                with about(f"models/{model.name}"):
                    self._accept(model.path, ACCEPTANCE_TIMEOUT, lambda: self._inbox.interrupts(self._believed))
                self._file.save(slots.accept(self._file.slots, model.digest))

    # Garbage

    def _tidy(self) -> None:
        """Remove the files no slot or download needs, and make up for failed writes; a failure can wait."""
        try:
            self._file.repair()
            self._collect(self._fetching)
            self._runner.keep(self._file.functions())
        except OSError as error:
            _log.warning("What is no longer needed could not be removed: %s", error)

    def _collect(self, fetching: _Fetching | None) -> None:
        trees, blobs = self._file.digests(), set[str]()
        if fetching:
            trees |= _digests(fetching.deployment) | fetching.delivery.bases()
            blobs = fetching.delivery.blobs()
        self._store.collect(trees, blobs)

    # Refusals and reports

    def _refuse(self, deployment: Deployment, reason: str, again: bool = False, part: str = "") -> None:
        """Nothing of this deployment is installed, because of `part` if one is known. A trial goes on.

        With `again` it is blameless: it is tried again when it is delivered again, and its arrived chunks are kept.
        """
        self._abandon()
        if again:
            self._believed = ""
        else:
            self._rejected = deployment.generation
            self._tidy()
        self._report(deployment.generation, REJECTED, reason, part=part)

    def _refuse_current(self, reason: str, again: bool) -> None:
        """Report an unexpected failure."""
        if self._fetching:
            self._refuse(self._fetching.deployment, reason, again)
        elif reason != self._fault:
            # A trial is looked at again and again; the same failure is told once.
            self._fault = reason
            self._report(0, REJECTED, reason, aside=True)

    def _report(self, generation: int, state: str, reason: str = "", aside: bool = False, part: str = "") -> None:
        self._reporter.transition(self._file.slots, generation, state, reason, aside, part)


def _digests(deployment: Deployment) -> set[str]:
    return {ref.digest for ref in deployment.artifacts()}
