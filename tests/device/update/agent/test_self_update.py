"""The engine and the agent's own replacement: what is planned, handed over, refused, and in which order."""

import json
import random
import shutil
import socket
import threading

import pytest

from device import durable
from device.artifact import archive
from device.launcher import ledger, line
from device.launcher.ledger import BUILT_IN, Ledger
from device.launcher.line import Line, Told
from device.protocol.deployment import decode
from device.update.agent import self_update
from device.update.reconcile import Install, Nothing, Reject
from tests.device.harness import Device, Health, function_files, write
from tests.sim.disk import Model, RecordingDisk

MANIFEST = b'name = "lamplight"\nversion = "0.2.0"\npython = ">=3.11"\nrequires = []\n'
FILES = {"device/__init__.py": b"", "boards/__init__.py": b"", "runtime.toml": MANIFEST}


class Launcher:
    """The other end of the line: grants what it is asked for, unless `refusal` says why not."""

    def __init__(self, known=None, running=BUILT_IN):
        self.ledger = known or Ledger()
        self.running = running
        self.refusal = ""
        self.asked = []
        self._ours, theirs = socket.socketpair()
        self._tell()
        self.line = Line(theirs)
        self.line.listen(lambda: None, lambda: None)
        threading.Thread(target=self._serve, daemon=True).start()

    def _tell(self, refused=""):
        self._ours.sendall(line.encode(line.told(self.ledger, self.running, refused)))

    def _serve(self):
        for said in self._ours.makefile("rb"):
            fields = json.loads(said)
            if "ask" in fields:
                self.asked.append(fields)
                if not self.refusal:
                    self.ledger = ledger.ask(self.ledger, fields["ask"], fields["note"])
                self._tell(self.refusal)


class Board(Device):
    """A device under that launcher; `ended` when it gave way."""

    def __init__(self, folder, cloud, launcher):
        super().__init__(folder, cloud)
        self.ended = threading.Event()
        self.launcher = launcher

    def own(self):
        return self_update.SelfUpdate(self.folder / "runtime", self.launcher.line, self.ended.set)


def agent(cloud, files=FILES, version=1):
    data = archive.pack(write(cloud.folder / f"agent-{version}", files))
    return cloud.release_bytes("agent", "lamplight", version, data)


def desired(cloud, generation, *refs, agent=None, **more):
    deployment = cloud.deployment(generation, *refs, **more)
    deployment.agent = agent
    return cloud.signing.desired(deployment)


@pytest.fixture
def launcher():
    return Launcher()


@pytest.fixture
def board(tmp_path, cloud, launcher):
    made = Board(tmp_path / "device", cloud, launcher)
    made.boot()
    yield made
    made.engine.stop()


def test_a_deployment_with_an_agent_is_read_as_it_was_written(cloud):
    deployment = cloud.deployment(3, cloud.release(function_files()))
    deployment.agent = agent(cloud)
    again = decode(deployment.encode())
    assert again.encode() == deployment.encode()
    assert again.agent.target == "agents/lamplight/1.tar"
    assert [ref.kind for ref in again.artifacts()] == ["function", "agent"]
    assert [ref.kind for ref in again.parts()] == ["function"]


def test_another_version_is_installed_and_handed_over_to_before_the_functions(board, cloud, launcher):
    lamp, new = cloud.release(function_files()), agent(cloud)
    board.deploy(cloud.desired(1, lamp))
    other = cloud.release(function_files(body=b"def handler(event, context):\n    return 2\n"))
    board.engine.desired(desired(cloud, 2, other, agent=new))
    assert board.ended.wait(60)
    note = {"generation": 2, "functions": ["lamp"]}
    assert launcher.asked == [{"ask": new.digest, "note": note}]
    assert archive.digest(board.folder / "runtime" / new.digest) == new.digest
    assert board.runner.generation.number == 1
    assert board.states()[-1] == (2, "STAGED")


def test_the_new_version_goes_on_with_the_functions_of_the_same_deployment(tmp_path, board, cloud, launcher):
    new = agent(cloud)
    document = desired(cloud, 1, cloud.release(function_files()), agent=new)
    board.engine.desired(document)
    assert board.ended.wait(60)
    board.engine.stop()
    board.launcher = Launcher(ledger.prove(launcher.ledger), new.digest)
    board.boot()
    board.deploy(document)
    assert board.runner.generation.number == 1
    assert board.engine.status().generation == 1


def test_an_agent_waits_for_the_trial_of_the_functions(board, cloud, launcher):
    lamp, new = cloud.release(function_files()), agent(cloud)
    board.runner.counters[1] = Health(state="starting")
    board.engine.desired(cloud.desired(1, lamp))
    board.wait(lambda status: (status.update, status.state) == (1, "TRIAL"))
    board.engine.desired(desired(cloud, 2, lamp, agent=new))
    board.wait(lambda status: status.update == 2 and status.bytes == status.total)
    assert launcher.asked == []
    board.runner.counters[1] = Health()
    assert board.ended.wait(60)
    assert (1, "COMMITTED") in board.states()


def test_a_version_that_cannot_run_here_is_rejected_and_leaves_nothing(board, cloud, launcher):
    needy = agent(cloud, {**FILES, "runtime.toml": MANIFEST.replace(b">=3.11", b">=4")})
    told = board.deploy(desired(cloud, 1, agent=needy), "REJECTED")
    assert "it needs Python >=4" in told.reason
    assert launcher.asked == []
    assert list((board.folder / "runtime").iterdir()) == []


def test_what_is_no_agent_is_rejected_though_it_is_signed(board, cloud, launcher):
    told = board.deploy(desired(cloud, 1, agent=agent(cloud, function_files())), "REJECTED")
    assert "no package" in told.reason
    assert launcher.asked == []


def test_without_a_launcher_it_is_rejected(board, cloud):
    board.engine.stop()
    board.launcher.line = Line(None)
    board.boot()
    told = board.deploy(desired(cloud, 1, agent=agent(cloud)), "REJECTED")
    assert "not started by the launcher" in told.reason


def test_what_the_launcher_refuses_is_rejected_and_the_agent_goes_on(board, cloud, launcher):
    launcher.refusal = "the disk is full"
    told = board.deploy(desired(cloud, 1, agent=agent(cloud)), "REJECTED")
    assert "the disk is full" in told.reason
    assert not board.ended.is_set()
    lamp = cloud.release(function_files())
    board.deploy(cloud.desired(2, lamp))


def test_a_version_that_failed_is_told_as_reverted_and_not_tried_again(board, cloud, launcher):
    new = agent(cloud)
    document = desired(cloud, 1, agent=new)
    board.engine.desired(document)
    assert board.ended.wait(60)
    board.engine.stop()
    board.launcher = Launcher(ledger.revert(launcher.ledger, "it ended 3 times"))
    board.boot()
    told = board.deploy(document, "REVERTED")
    assert (told.update, told.failed) == (1, {1: "the agent: it ended 3 times"})
    later = board.deploy(desired(cloud, 2, agent=new), "REJECTED")
    assert "failed as generation 1" in later.reason
    assert board.launcher.asked == []


def test_there_are_at_most_two_versions_on_the_disk(board, cloud, launcher):
    (board.folder / "runtime" / ("ee" * 32)).mkdir(parents=True)
    new = agent(cloud)
    board.engine.desired(desired(cloud, 1, agent=new))
    assert board.ended.wait(60)
    assert [each.name for each in (board.folder / "runtime").iterdir()] == [new.digest]


def test_power_lost_at_any_step_of_the_installation_leaves_no_half_version(tmp_path, cloud, monkeypatch):
    """After each durable step, with what is not synced lost, or kept in any selection."""
    data = archive.pack(write(tmp_path / "source", FILES))
    artifact = tmp_path / "artifact.tar"
    artifact.write_bytes(data)
    new = cloud.release_bytes("agent", "lamplight", 1, data)
    deployment = cloud.deployment(1)
    deployment.agent = new
    root = tmp_path / "board"
    old = root / "runtime" / ("ee" * 32)
    old.mkdir(parents=True)
    (old / "file").write_bytes(b"an older version")
    shutil.copytree(root, tmp_path / "before")
    disk = RecordingDisk(root)
    monkeypatch.setattr(durable, "disk", disk)
    self_update.SelfUpdate(root / "runtime", Launcher().line, lambda: None).hand_over(deployment, artifact, [])
    for k in range(len(disk.steps) + 1):
        for seed in (None, 1, 2, 3):
            model = Model(tmp_path / "before")
            for step in disk.steps[:k]:
                model.take(step)
            left = tmp_path / f"left-{k}-{seed}"
            model.lose_power(left, None if seed is None else random.Random(seed))
            tree = left / "runtime" / new.digest
            assert not tree.exists() or archive.digest(tree) == new.digest
    assert archive.digest(root / "runtime" / new.digest) == new.digest
    print(f"power cut after each of {len(disk.steps)} durable steps")


def told_of(running, failed=(), note=None):
    return Told(running=running, failed={each: ledger.Failure("no", note or {}) for each in failed})


def test_the_plan_for_the_agent(cloud):
    new = agent(cloud)
    with_new, without = cloud.deployment(5), cloud.deployment(5)
    with_new.agent = new
    assert self_update.plan(told_of(BUILT_IN), without) is None
    assert self_update.plan(told_of(new.digest), with_new) is None
    assert self_update.plan(told_of(BUILT_IN), with_new) == Install((new,))
    assert self_update.plan(told_of(new.digest), without) == Install(())
    assert self_update.plan(told_of(BUILT_IN, [new.digest], {"generation": 5}), with_new) == Nothing()
    assert isinstance(self_update.plan(told_of(BUILT_IN, [new.digest], {"generation": 4}), with_new), Reject)
    assert self_update.plan(told_of(new.digest, [BUILT_IN], {"generation": 5}), without) == Nothing()
    assert self_update.plan(told_of(new.digest, [BUILT_IN], {"generation": 4}), without) == Install(())
