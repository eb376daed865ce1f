"""SIGKILL at any moment, and in each state, leaves the old or the new generation; the next start goes on from it."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from device.update import slots
from tests.device.harness import function_files

ROUNDS = 12
GENERATIONS = 30
ROOT = Path(__file__).parents[3]


def start(folder, *end):
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.device.update.victim", str(folder), *end],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert victim.stdout.readline() == "ready\n"
    return victim


def installed(folder):
    """What the board's slots say, as the kill left them."""
    return slots.load(folder / "device" / "slots.json")


def number(deployment):
    return deployment.generation if deployment else 0


def check(booted, code, before):
    """It booted, whole, what the slots said: the committed one, or the one in trial while it has starts left."""
    generation, functions = json.loads(booted)
    assert generation == number(slots.boot(before).running)
    assert functions == ({"lamp": code[generation]} if generation else {})


@pytest.mark.parametrize(
    ("state", "boots"),
    [("VERIFIED", 1), ("FETCHING", 1), ("STAGED", 1), ("TRIAL", 2), ("COMMITTED", 2), ("BACK", 1)],
)
@pytest.mark.parametrize("patched", [False, True], ids=["whole", "patch"])
def test_killed_in_a_state_it_boots_what_that_state_says_and_goes_on(tmp_path, cloud, state, boots, patched):
    code = {each: f"def handler(event, context):\n    return {each}\n" for each in (1, 2)}
    first = cloud.release(function_files(body=code[1].encode()))
    second = cloud.release(function_files(body=code[2].encode()), bases=[first] if patched else [])
    documents = [cloud.desired(1, first), cloud.desired(2, second)]
    (tmp_path / "cloud.pickle").write_bytes(pickle.dumps((cloud.broker, documents)))
    victim = start(tmp_path, "2", state)
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    if state == "BACK":
        # The disk says that it failed before the old one is started again: it is not tried once more.
        assert [failure.generation for failure in installed(tmp_path).failed.values()] == [2]
    before = installed(tmp_path)
    victim = start(tmp_path)
    told = victim.communicate()[0].splitlines()
    assert victim.returncode == 0
    check(told[0], code, before)
    assert json.loads(told[0])[0] == boots
    last = installed(tmp_path)
    assert (number(last.active), last.trial) == (1 if last.failed else 2, None)
    assert {path.name for path in (tmp_path / "device" / "trees").iterdir()} == last.digests()
    assert list((tmp_path / "device" / "blobs").iterdir()) == []


def test_a_generation_that_takes_the_agent_down_each_time_is_reverted_at_boot(tmp_path, cloud):
    documents = [
        cloud.desired(each, cloud.release(function_files(body=b"x = %d\ndef handler(e, c): ..." % each)))
        for each in (1, 2)
    ]
    (tmp_path / "cloud.pickle").write_bytes(pickle.dumps((cloud.broker, documents)))
    for _ in range(slots.STARTS):
        victim = start(tmp_path, "2", "TRIAL")
        victim.communicate()
        assert victim.returncode == -signal.SIGKILL
    victim = start(tmp_path, "2", "TRIAL")
    assert json.loads(victim.communicate()[0].splitlines()[0])[0] == 1
    assert victim.returncode == 0
    (failure,) = installed(tmp_path).failed.values()
    assert "did not survive it" in failure.reason


def test_killed_at_any_moment_it_boots_the_old_or_the_new_and_goes_on(tmp_path, cloud):
    code = {each: f"def handler(event, context):\n    return {each}\n" for each in range(1, GENERATIONS + 1)}
    blob = random.Random(2).randbytes(300_000)
    documents, released = [], []
    for each in code:
        files = {**function_files(body=code[each].encode()), "b": blob + bytes([each])}
        # Every third travels as a patch.
        released.append(cloud.release(files, bases=released[-1:] if each % 3 == 0 else []))
        documents.append(cloud.desired(each, released[-1]))
    (tmp_path / "cloud.pickle").write_bytes(pickle.dumps((cloud.broker, documents)))
    committed, longest = 0, 0.8
    for seed in range(3 * ROUNDS):
        if seed >= ROUNDS:
            # A machine that does something else meanwhile takes longer to come to a commit.
            if committed:
                break
            longest *= 1.5
        before = installed(tmp_path)
        assert number(before.active) >= committed
        committed = number(before.active)
        victim = start(tmp_path)
        time.sleep(random.Random(seed).uniform(0, longest))
        victim.kill()
        told = victim.communicate()[0].splitlines()
        if told:
            check(told[0], code, before)
    assert committed > 0
    before = installed(tmp_path)
    victim = start(tmp_path)
    check(victim.communicate()[0].splitlines()[0], code, before)
    assert victim.returncode == 0
    assert number(installed(tmp_path).active) == GENERATIONS
    assert {path.name for path in (tmp_path / "device" / "trees").iterdir()} == installed(tmp_path).digests()
    assert list((tmp_path / "device" / "blobs").iterdir()) == []
