"""The k-th durable step fails, or is the last before power goes, for every k of whole deployments.

Documents are signed for real and each is verified once by the real process; its verdict is then given again, for
hundreds of processes would take minutes. Everything else is the engine as it is, on its own thread, on real files.
"""

import errno
import itertools
import random
import shutil
import time
from dataclasses import dataclass, field

import pytest

from device import durable
from device.errors import LamplightError
from device.protocol import chunks
from device.protocol.withdrawn import Withdrawal
from device.trust import verifier
from device.update import engine, slots
from device.update.store import Store
from tests.device.harness import HANDLER, Device, function_files, model_files
from tests.sim.disk import Model, QuickDisk, RecordingDisk

FINAL = ("COMMITTED", "REVERTED")
ORDERS = 3


@dataclass
class Scenario:
    """`before` is deployed in peace; then `document`, of generation `new`, ends in `state`.

    It tells that the release with the digest `withdrawn` was withdrawn, if there is one.
    """

    document: bytes
    old: int
    new: int
    before: list = field(default_factory=list)
    state: str = "COMMITTED"
    litter: bool = False
    withdrawn: str = ""

    def prepare(self, root, cloud):
        root.mkdir()
        if self.before:
            board = Board(root, cloud, self)
            board.boot()
            for document in self.before:
                board.engine.desired(document)
                number = self.before.index(document) + 1
                board.wait(lambda status, number=number: (status.update, status.state) == (number, "COMMITTED"))
            board.engine.stop()
        if self.litter:
            for data in (b"one", b"another"):
                (root / "state" / "blobs" / chunks.digest(data)).write_bytes(data)


class Board(Device):
    """A device of a scenario on the disk below `root`."""

    def __init__(self, root, cloud, scenario):
        super().__init__(root / "state", cloud)
        self.scenario = scenario
        if scenario.state == "REVERTED":
            self.runner.break_on[scenario.new] = LamplightError("the bus is busy")

    def finish(self):
        """Deliver the document, again and again, until it has ended as it should."""
        wanted = (self.scenario.new, self.scenario.state)
        deadline = time.monotonic() + 20
        while True:
            self.engine.desired(self.scenario.document)
            pause = time.monotonic() + 0.05
            while time.monotonic() < pause:
                status = self.engine.status()
                if (status.update, status.state) == wanted and not self.litter():
                    self.engine.stop()
                    return
                time.sleep(0.001)
            assert time.monotonic() < deadline, (self.engine.status(), self.states(), self.litter())

    def check_stopped(self):
        """A release that the board knows to be withdrawn does not run."""
        runs = {function.digest for function in self.runner.generation.functions.values()}
        assert not (self.engine.withdrawn() and self.scenario.withdrawn in runs)

    def check_clean(self):
        """Everything on disk is needed by a slot, and whole."""
        installed = slots.load(self.folder / "slots.json")
        assert (installed.trial, installed.floor) == (None, self.scenario.new)
        assert installed.active.generation == (
            self.scenario.new if self.scenario.state == "COMMITTED" else self.scenario.old
        )
        assert self.litter() == []
        assert Store(self.folder).trees() == installed.digests()
        assert all(Store(self.folder).check(digest) for digest in installed.digests())


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    verdicts, real = {}, verifier._run

    def run(question, payload, scratch, timeout):
        if payload not in verdicts:
            verdicts[payload] = real(question, payload, scratch, timeout)
        return verdicts[payload]

    monkeypatch.setattr(verifier, "_run", run)
    monkeypatch.setattr(engine, "TRIAL_PERIOD", 0.001)
    monkeypatch.setattr(durable, "disk", QuickDisk())


@pytest.fixture(params=["install", "update", "revert", "rollback", "garbage", "patch", "bad patch", "withdrawal"])
def scenario(request, cloud):
    first, second, third = (cloud.release({**function_files(body=HANDLER % n), "lib/b.py": b""}) for n in (1, 2, 3))
    model = cloud.release(model_files(onnx=random.Random(1).randbytes(2 * chunks.CHUNK_SIZE)), "model")
    one = cloud.desired(1, first)
    if request.param == "install":
        return Scenario(one, 0, 1)
    if request.param == "update":
        return Scenario(cloud.desired(2, second, model), 1, 2, [one])
    if "patch" in request.param:
        return Scenario(cloud.desired(2, patched(cloud, first, request.param == "patch")), 1, 2, [one])
    two = cloud.desired(2, second)
    if request.param == "withdrawal":
        cloud.signing.withdraw(Withdrawal("function", "lamp", 2, False, "it burns", 1))
        return Scenario(cloud.desired(3, third), 2, 3, [one, two], withdrawn=second.digest)
    match request.param:
        case "revert":
            return Scenario(two, 1, 2, [one], "REVERTED")
        case "rollback":
            return Scenario(cloud.desired(3, first), 2, 3, [one, two])
        case _:
            return Scenario(cloud.desired(3, third), 2, 3, [one, two], litter=True)


def patched(cloud, base, good):
    """A release with a patch, of several chunks, that makes it from `base` or is good for nothing."""
    noise = random.Random(2).randbytes(2 * chunks.CHUNK_SIZE)
    files = {**function_files(body=HANDLER % 4), "lib/b.py": b"", "noise": noise, "more": bytes(chunks.CHUNK_SIZE)}
    if good:
        return cloud.release(files, bases=[base])
    return cloud.release_bytes("function", "lamp", 4, cloud.pack(files), [(base, noise)])


@pytest.fixture
def start(tmp_path, cloud, scenario):
    scenario.prepare(tmp_path / "start", cloud)
    return tmp_path / "start"


def record(root, cloud, scenario, monkeypatch):
    """The steps of the scenario, and after how many it was told to have ended."""
    disk = RecordingDisk(root)
    monkeypatch.setattr(durable, "disk", disk)
    board = Board(root, cloud, scenario)
    told = []
    board.events = _Watched(lambda event: told.append(len(disk.steps)) if event.state in FINAL else None)
    board.boot()
    board.finish()
    board.check_clean()
    monkeypatch.setattr(durable, "disk", QuickDisk())
    return disk.steps, told[0]


class _Watched(list):
    def __init__(self, watch):
        super().__init__()
        self._watch = watch

    def append(self, event):
        super().append(event)
        self._watch(event)


def test_power_lost_after_any_step_leaves_the_old_or_the_new(tmp_path, cloud, scenario, start, monkeypatch, capsys):
    work = shutil.copytree(start, tmp_path / "work")
    steps, ended = record(work, cloud, scenario, monkeypatch)
    model, tried = Model(start), 0
    for k, step in itertools.chain([(0, None)], enumerate(steps, 1)):
        if step:
            model.take(step)
        for order in range(1 + ORDERS):
            root = tmp_path / "after"
            model.lose_power(root, random.Random(1000 * k + order) if order else None)
            board = Board(root, cloud, scenario)
            booted = board.boot().number
            assert "REJECTED" not in [state for _, state in board.states()], (k, order, board.events)
            assert booted in (scenario.old, scenario.new), (k, order)
            board.check_stopped()
            if k >= ended:
                assert booted == (scenario.new if scenario.state == "COMMITTED" else scenario.old), (k, order)
            board.finish()
            board.check_clean()
            shutil.rmtree(root)
            tried += 1
    with capsys.disabled():
        print(f" power lost after each of {len(steps)} steps, {tried} outcomes", end="")


def test_any_step_that_fails_leaves_the_old_or_the_new(tmp_path, cloud, scenario, start, monkeypatch, capsys):
    for k in itertools.count():
        # Nothing looks at the number: one of the two for each step is enough.
        number = (errno.ENOSPC, errno.EIO)[k % 2]
        root = shutil.copytree(start, tmp_path / "work")
        disk = RecordingDisk(root, (k,), OSError(number, errno.errorcode[number]))
        monkeypatch.setattr(durable, "disk", disk)
        board = Board(root, cloud, scenario)
        try:
            booted = board.boot().number
        except OSError:
            # Only before the first boot's folders are there: the agent ends, and is started again.
            assert scenario.old == 0
            board = Board(root, cloud, scenario)
            booted = board.boot().number
        assert booted in (scenario.old, scenario.new)
        board.check_stopped()
        board.finish()
        monkeypatch.setattr(durable, "disk", QuickDisk())
        running = board.runner.generation.number
        board = Board(root, cloud, scenario)
        assert board.boot().number == running
        board.finish()
        board.check_clean()
        shutil.rmtree(root)
        if disk.tried <= k:
            break
    with capsys.disabled():
        print(f" each of {k} steps failed", end="")
