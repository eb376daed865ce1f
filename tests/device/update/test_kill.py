"""SIGKILL at any moment leaves the old or the new generation, and the next start goes on from there."""

import json
import os
import pickle
import random
import subprocess
import sys
import time
from pathlib import Path

from device.update import slots
from tests.device.update.harness import function_files

ROUNDS = 12
GENERATIONS = 30
ROOT = Path(__file__).parents[3]


def start(folder):
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.device.update.victim", str(folder)],
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


def test_killed_at_any_moment_it_boots_the_old_or_the_new_and_goes_on(tmp_path, cloud):
    code = {each: f"def handler(event, context):\n    return {each}\n" for each in range(1, GENERATIONS + 1)}
    blob = random.Random(2).randbytes(300_000)
    documents = [
        cloud.desired(
            number, cloud.release({**function_files(body=code[number].encode()), "b": blob + bytes([number])})
        )
        for number in code
    ]
    (tmp_path / "cloud.pickle").write_bytes(pickle.dumps((cloud.broker, documents)))
    committed = 0
    for seed in range(ROUNDS):
        before = installed(tmp_path)
        assert number(before.active) >= committed
        committed = number(before.active)
        victim = start(tmp_path)
        time.sleep(random.Random(seed).uniform(0, 0.8))
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
