"""Puts the deployments onto the broker: chunks first, then each device's signed `desired`, all retained.

One thread does it, in the order of events, and compares the wanted messages with those known to be there. So it works
alike for a changed deployment, a device asking for chunks, and a broker back with nothing. The deployments are decided
elsewhere (fleet.py). When the broker is away, work is dropped: the next connection does all of it.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Select, select

from cloud_shim.database import Database
from cloud_shim.fleet.retained import ReadChunk, Retained
from cloud_shim.releases.registry import Registry
from cloud_shim.tables import CredentialRow, DeploymentRow, DeviceRow, UseRow
from cloud_shim.trust.signing import Signing
from device.errors import LamplightError, OfflineError
from device.protocol import deployment as documents

logger = logging.getLogger(__name__)

# Signatures last 30 days: every day everything is signed and sent anew, however busy the day was.
_REFRESH = 86400.0
# Chunks that one device asks for at a time: more than the largest artifact has.
_ASKED = 4096


@dataclass(frozen=True)
class _Changed:
    device: str


@dataclass(frozen=True)
class _Wanted:
    device: str


@dataclass(frozen=True)
class _Revoked:
    device: str


@dataclass(frozen=True)
class _Connected:
    session_present: bool


@dataclass(frozen=True)
class _Stop:
    pass


_Work = _Changed | _Wanted | _Revoked | _Connected


class Publisher:
    """The thread to keep the broker's retained messages right. Any thread may tell it of events."""

    def __init__(self, database: Database, registry: Registry, signing: Signing, retained: Retained) -> None:
        self._database = database
        self._registry = registry
        self._signing = signing
        self._retained = retained
        self._jobs: queue.SimpleQueue[_Work | _Stop] = queue.SimpleQueue()
        self._asking = threading.Lock()
        self._asked: dict[str, set[str]] = {}
        self._refresh = time.monotonic() + _REFRESH
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Finish the work begun and stop."""
        self._jobs.put(_Stop())
        self._thread.join(timeout=5)

    def changed(self, device: str) -> None:
        """The device has a new deployment."""
        self._jobs.put(_Changed(device))

    def wanted(self, device: str, digests: Sequence[str]) -> None:
        """The device asks for chunks still missing there. However often it asks, it is served once at a time."""
        with self._asking:
            before = self._asked.get(device)
            self._asked[device] = {*digests, *(before or ())} if len(before or ()) < _ASKED else before or set()
        if before is None:
            self._jobs.put(_Wanted(device))

    def revoked(self, device: str) -> None:
        """The device was shut out: nothing of it stays on the broker."""
        self._jobs.put(_Revoked(device))

    def connected(self, session_present: bool) -> None:
        """The broker is there; unless it knows our session, its retained messages are lost."""
        self._jobs.put(_Connected(session_present))

    def _run(self) -> None:
        while True:
            try:
                job = self._next()
                if isinstance(job, _Stop):
                    return
                self._do(job)
            except OfflineError as error:
                logger.info("not published: %s", error)
            except Exception:
                # A device that cannot be served must not stop the others' deployments.
                logger.exception("could not publish")

    def _next(self) -> _Work | _Stop:
        if (left := self._refresh - time.monotonic()) > 0:
            try:
                return self._jobs.get(timeout=left)
            except queue.Empty:
                pass
        self._refresh = time.monotonic() + _REFRESH
        return _Connected(session_present=True)

    def _do(self, job: _Work) -> None:
        if isinstance(job, _Changed):
            self._publish(job.device)
            self._sweep()
        elif isinstance(job, _Wanted):
            with self._asking:
                digests = self._asked.pop(job.device, set())
            self._answer(job.device, digests)
        elif isinstance(job, _Revoked):
            self._retained.clear(job.device)
        else:
            self._publish_all(job.session_present)

    def _publish_all(self, session_present: bool) -> None:
        if not session_present:
            self._retained.forget()
        with self._database.read() as session:
            devices = list(session.scalars(select(DeviceRow.name).where(DeviceRow.generation > 0)))
            revoked = list(session.scalars(select(CredentialRow.device).where(CredentialRow.revoked)))
        for device in revoked:
            self._retained.clear(device)
        for device in (each for each in devices if each not in revoked):
            try:
                self._publish(device)
            except OfflineError:
                raise
            except LamplightError as error:
                logger.error("cannot publish the deployment of %s: %s", device, error)
        self._sweep()

    def _publish(self, device: str) -> None:
        """Seed the needs of the device's deployment, and when all of them are there, say so in `desired`."""
        with self._database.read() as session:
            row = session.get(DeviceRow, device)
            current = session.get(DeploymentRow, (device, row.generation)) if row else None
        if current is None:
            return
        deployment = documents.decode(current.document.encode())
        needed = self._chunks({ref.digest for ref in deployment.targets()})
        self._seed(needed, self._retained.missing(needed))
        self._retained.desired(device, self._signing.desired(deployment))

    def _answer(self, device: str, digests: set[str]) -> None:
        """Send chunks again; only those of the device's own deployment."""
        with self._database.read() as session:
            needed = self._chunks(set(session.scalars(_uses().where(DeviceRow.name == device))))
        self._seed(needed, digests & needed.keys())

    def _sweep(self) -> None:
        with self._database.read() as session:
            artifacts = set(session.scalars(_uses()))
        self._retained.sweep(set(self._chunks(artifacts)))

    def _seed(self, readers: dict[str, ReadChunk], digests: set[str]) -> None:
        self._retained.seed({digest: readers[digest] for digest in sorted(digests)})

    def _chunks(self, artifacts: set[str]) -> dict[str, ReadChunk]:
        """How to read each chunk of these artifacts and patches, by its digest."""
        return {chunk.digest: partial(self._registry.bytes_of, chunk) for chunk in self._registry.chunks(artifacts)}


def _uses() -> Select[str]:
    """The artifacts and patches named by the present deployments."""
    present = (UseRow.device == DeviceRow.name) & (UseRow.generation == DeviceRow.generation)
    return select(UseRow.sha256).join(DeviceRow, present).distinct()
