"""The ledger's transitions and its file: whatever is cut short, the old or the new state is read again."""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import durable
from device.launcher import ledger
from device.launcher.ledger import BUILT_IN, MAX_FAILED, TRIES, Failure, Ledger, Trial
from device.protocol.errors import ProtocolError
from tests.sim.disk import Model, RecordingDisk

A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
NOTE = {"generation": 7, "functions": ["lamp"]}
STEPS: dict[str, Callable[[Ledger], Ledger]] = {
    "ask": lambda now: ledger.ask(now, B, NOTE) if now.trial is None else now,
    "start": ledger.start,
    "refund": ledger.refund,
    "prove": ledger.prove,
    "revert": lambda now: ledger.revert(now, "it hangs"),
    "lose": lambda now: ledger.lose(now, "it is damaged"),
}


def test_a_version_that_proves_itself_keeps_the_one_before() -> None:
    now = ledger.prove(ledger.start(ledger.ask(Ledger(active=A, previous=C), B, NOTE)))
    assert now == Ledger(active=B, previous=A)


def test_asking_makes_room_so_that_there_are_at_most_two() -> None:
    assert ledger.ask(Ledger(active=A, previous=C), B, NOTE).versions() == {A, B}


def test_a_trial_has_its_tries_and_no_more() -> None:
    now = ledger.ask(Ledger(active=A), B, NOTE)
    started = []
    while now.trial:
        now = ledger.start(now)
        started.append(now.running)
    assert started == [B] * TRIES + [A]
    assert now.failed[B].note == NOTE


def test_a_refund_gives_no_more_tries_than_there_were() -> None:
    now = ledger.ask(Ledger(), B, NOTE)
    assert ledger.refund(ledger.refund(now)).trial == Trial(B, TRIES, NOTE)


def test_what_was_lost_falls_back_step_by_step_to_the_built_in_one() -> None:
    now = ledger.lose(Ledger(active=A, previous=C), "damaged")
    assert (now.running, now.lost) == (C, "damaged")
    assert ledger.lose(now, "damaged too").running == BUILT_IN


def test_failures_are_bounded_and_the_oldest_is_forgotten() -> None:
    now = Ledger()
    for number in range(MAX_FAILED + 3):
        now = ledger.revert(ledger.ask(now, f"{number:064x}", NOTE), "no")
    assert len(now.failed) == MAX_FAILED
    assert f"{0:064x}" not in now.failed


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=40))
def test_whatever_happens_something_runs_and_the_file_says_it(tmp_path_factory: pytest.TempPathFactory, steps) -> None:
    now = Ledger(active=A)
    for step in steps:
        now = STEPS[step](now)
        assert now.running in (BUILT_IN, A, B)
        assert len(now.versions()) <= 2
        assert now.trial is None or 0 <= now.trial.tries <= TRIES
    path = tmp_path_factory.getbasetemp() / "ledger.json"
    ledger.save(path, now)
    assert ledger.load(path) == now


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"active": "../x"},
        {"active": None},
        {"trial": {"version": B, "tries": 99, "note": {}}},
        {"trial": {"version": B, "tries": 1}},
        {"failed": {"x": {"reason": "", "note": {}}}},
        {"failed": [1]},
        {"lost": 1},
    ],
)
def test_a_ledger_with_a_wrong_field_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "ledger.json"
    ledger.save(path, Ledger(active=A))
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ProtocolError):
        ledger.load(path)


def test_a_field_of_a_later_launcher_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    ledger.save(path, Ledger(active=A, failed={B: Failure("no", NOTE)}))
    path.write_text(json.dumps({**json.loads(path.read_text()), "later": 1}))
    assert ledger.load(path) == Ledger(active=A, failed={B: Failure("no", NOTE)})


@pytest.mark.parametrize("end", ["prove", "revert"])
def test_power_lost_after_any_durable_step_leaves_the_state_before_or_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """The k-th step of a whole upgrade is the last, for every k; then with names and bytes kept in any selection."""
    states = list(itertools.accumulate(["ask", "start", end], lambda now, step: STEPS[step](now), initial=Ledger()))
    root = tmp_path / "board"
    root.mkdir()
    disk = RecordingDisk(root)
    monkeypatch.setattr(durable, "disk", disk)
    written = [0]
    for state in states:
        ledger.save(root / "ledger.json", state)
        written.append(len(disk.steps))
    for k in range(written[1], len(disk.steps) + 1):
        reached = max(number for number, count in enumerate(written) if count <= k) - 1
        allowed = states[reached : reached + 2]
        for seed in (None, 1, 2, 3):
            left = tmp_path / f"left-{k}-{seed}"
            before = tmp_path / f"empty-{k}-{seed}"
            before.mkdir()
            model = Model(before)
            for step in disk.steps[:k]:
                model.take(step)
            model.lose_power(left, None if seed is None else random.Random(seed))
            assert ledger.load(left / "ledger.json") in allowed
    print(f"power cut after each of {len(disk.steps)} durable steps")
