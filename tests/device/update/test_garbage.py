"""Whatever comes and goes: what a slot or a running download needs stays, and the rest goes.

Documents are not signed here, and believed by a stand-in for the verify process: trust is not what is tested.
"""

import json
import random

import pytest

from device import durable
from device.errors import LamplightError
from device.protocol import chunks
from device.trust import verifier
from device.update import engine, slots, stage
from device.update.store import Store
from tests.device.harness import HANDLER, Device, function_files
from tests.sim.disk import QuickDisk, RecordingDisk

SEEDS = range(12)
STEPS = 12
CONTENTS = 4
FINAL = ("COMMITTED", "REVERTED", "REJECTED")


class World:
    """A board, a few releases for it, and a seed that decides what happens to them."""

    def __init__(self, folder, cloud, seed):
        self.choice = random.Random(seed)
        self.cloud = cloud
        self.root = folder
        self.device = Device(folder / "device", cloud)
        self.refs = []
        for number in range(CONTENTS):
            self.refs.append(self.release(number))
        self.everything = dict(cloud.broker)
        self.generation = 0

    def release(self, number):
        # Half of it is the same in all: patches are worth it, and have several chunks.
        same, own = (random.Random(seed).randbytes(150_000) for seed in (99, number))
        return self.cloud.release({**function_files(body=HANDLER % number), "data": same + own}, bases=self.refs)

    def document(self, ref=None):
        self.generation += 1
        return self.cloud.deployment(self.generation, ref or self.choice.choice(self.refs)).encode()

    def deploy(self):
        document = self.document()
        self.device.engine.desired(document)
        self.device.wait(self.ended)
        return document

    def ended(self, status):
        return status.update == self.generation and status.state in FINAL

    def deploy_broken(self):
        self.device.runner.break_on[self.generation + 1] = LamplightError("the bus is busy")
        self.deploy()

    def restart(self):
        self.device.restart()

    def fail_while_collecting(self):
        """From some step on nothing can be removed."""
        real = durable.disk.unlink
        left = self.choice.randint(0, 4)

        def unlink(path):
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(5, "Input/output error")
            real(path)

        durable.disk.unlink = unlink
        self.deploy()
        durable.disk.unlink = real

    def download_halfway(self):
        """A download that lacks one chunk: what has arrived stays, also when garbage is looked for."""
        ref = self.choice.choice(self.refs)
        part = self.choice.choice(ref.targets())
        withheld = self.choice.choice(chunks.decode_index(self.everything[part.index], part.length))
        del self.cloud.broker[withheld]
        document = self.document(ref)
        self.device.engine.desired(document)
        self.device.wait(lambda status: self.ended(status) or self.arrived(withheld))
        if not self.ended(self.device.engine.status()):
            stored, seen = self.blobs(), self.refusals()
            assert stored
            self.device.engine.desired(document)
            self.device.wait(lambda _: self.device.engine._inbox._desired is None)
            self.device.engine.desired(b"rubbish")
            self.device.wait(lambda _: self.refusals() > seen)
            assert stored <= self.blobs()
        self.cloud.broker.update(self.everything)
        self.device.link.restore()
        self.device.wait(self.ended)

    def refusals(self):
        return self.device.states().count((0, "REJECTED"))

    def arrived(self, withheld):
        """Whether all that was asked for has come, except for that one."""
        return self.device.engine.status().state == "FETCHING" and self.device.link.subscribed == {withheld}

    def blobs(self):
        return {path.name for path in (self.device.folder / "blobs").iterdir() if len(path.name) == 64}

    def check_needed(self):
        installed = slots.load(self.device.folder / "slots.json")
        for each in (installed.active, installed.previous, installed.trial):
            assert each is None or stage.whole(each, Store(self.device.folder))


@pytest.fixture(autouse=True)
def believing(monkeypatch):
    def run(question, payload, scratch, timeout):
        if payload == b"rubbish":
            return b""
        return json.dumps({"ok": True, "deployment": payload.decode(), "signer": [1, "key"], "trusted": {}}).encode()

    monkeypatch.setattr(verifier, "_run", run)
    monkeypatch.setattr(engine, "TRIAL_PERIOD", 0.001)
    monkeypatch.setattr(durable, "disk", QuickDisk())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_needed_stays_and_the_rest_goes(tmp_path, cloud, seed):
    world = World(tmp_path, cloud, seed)
    world.device.boot()
    steps = (world.deploy, world.deploy_broken, world.restart, world.fail_while_collecting, world.download_halfway)
    for _ in range(STEPS):
        world.choice.choice(steps)()
        world.device.engine.stop()
        world.check_needed()
        world.device.boot()
    document = world.deploy()
    world.device.engine.desired(document)
    world.device.wait(lambda _: not world.device.litter())
    world.device.engine.stop()
    world.check_needed()


def test_a_full_disk_still_starts_what_is_installed_and_not_what_is_on_trial(tmp_path, cloud, monkeypatch):
    device = Device(tmp_path / "device", cloud)
    device.boot()
    device.deploy(cloud.deployment(1, cloud.release(function_files(body=HANDLER % 1))).encode())
    trial = cloud.deployment(2, cloud.release(function_files(body=HANDLER % 2)), seconds=3600.0).encode()
    device.engine.desired(trial)
    device.wait(lambda status: status.state == "TRIAL")
    device.engine.stop()
    full = RecordingDisk(tmp_path, range(10**6), OSError(28, "No space left on device"))
    with monkeypatch.context() as filled:
        filled.setattr(durable, "disk", full)
        assert device.boot().number == 1
        device.engine.stop()
    assert device.boot().number == 2
    device.engine.stop()


def test_a_generation_that_does_not_run_stops_though_that_cannot_be_written_down(tmp_path, cloud, monkeypatch):
    device = Device(tmp_path / "device", cloud)
    device.boot()
    device.deploy(cloud.deployment(1, cloud.release(function_files(body=HANDLER % 1))).encode())
    full = RecordingDisk(tmp_path, range(10**6), OSError(28, "No space left on device"))

    def fail_and_fill(generation):
        monkeypatch.setattr(durable, "disk", full)
        raise LamplightError(f"generation {generation.number} does not start")

    switch = device.runner.switch
    device.runner.switch = lambda target: fail_and_fill(target) if target.number == 2 else switch(target)
    second = cloud.deployment(2, cloud.release(function_files(body=HANDLER % 2))).encode()
    device.engine.desired(second)
    device.wait(lambda status: (status.update, status.state) == (2, "REVERTED"))
    assert device.runner.generation.number == 1
    monkeypatch.setattr(durable, "disk", QuickDisk())
    device.engine.desired(second)
    device.wait(lambda _: slots.load(device.folder / "slots.json").trial is None)
    device.engine.stop()
