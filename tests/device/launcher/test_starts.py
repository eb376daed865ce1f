"""The count of starts that did not last: its transitions, and its file under a power cut at each step."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from device import durable
from device.launcher import ledger, starts
from device.launcher.starts import MOST, Starts
from device.protocol.errors import ProtocolError
from tests.sim.disk import Model, RecordingDisk


def failed(times: int, boot: Callable[[int], str]) -> Starts:
    now = Starts()
    for number in range(times):
        now = starts.begin(now, boot(number))
    return now


def test_a_board_that_boots_in_a_loop_comes_to_safe_mode_and_says_how_often() -> None:
    assert not failed(MOST, lambda number: f"boot-{number}").safe
    now = failed(MOST + 1, lambda number: f"boot-{number}")
    assert now.safe and f"{MOST} starts in a row" in now.reason and f"{MOST} boots of the board" in now.reason


def test_an_agent_that_dies_again_and_again_in_one_boot_comes_to_safe_mode() -> None:
    assert "in one boot" in failed(MOST + 1, lambda _: "boot").reason


def test_versions_and_generations_on_trial_are_reverted_before_it() -> None:
    assert ledger.TRIES < MOST


def test_a_start_that_lasts_forgets_those_before_it() -> None:
    assert starts.settle(failed(MOST, str)) == Starts()


def test_safe_mode_stays_over_boots_and_however_long_it_runs() -> None:
    now = failed(MOST + 1, str)
    assert starts.settle(starts.begin(starts.refund(now), "later")) == now


def test_who_ends_the_agent_in_order_does_not_come_to_safe_mode() -> None:
    now = Starts()
    for number in range(3 * MOST):
        now = starts.refund(starts.begin(now, f"boot-{number}"))
    assert now == Starts()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format": 9}', b'{"format": 1, "count": -1}', b"\xff" * 99])
def test_a_damaged_file_is_told_of(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "starts.json").write_bytes(data)
    with pytest.raises(ProtocolError, match="damaged"):
        starts.load(tmp_path / "starts.json")


def test_power_lost_after_any_durable_step_leaves_the_count_before_or_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = list(itertools.accumulate("abcdefgh", starts.begin, initial=Starts()))
    root = tmp_path / "board"
    root.mkdir()
    disk = RecordingDisk(root)
    monkeypatch.setattr(durable, "disk", disk)
    written = [0]
    for state in states:
        starts.save(root / "starts.json", state)
        written.append(len(disk.steps))
    for k in range(written[1], len(disk.steps) + 1):
        reached = max(number for number, count in enumerate(written) if count <= k) - 1
        for seed in (None, 1, 2, 3):
            before, left = tmp_path / f"empty-{k}-{seed}", tmp_path / f"left-{k}-{seed}"
            before.mkdir()
            model = Model(before)
            for step in disk.steps[:k]:
                model.take(step)
            model.lose_power(left, None if seed is None else random.Random(seed))
            assert starts.load(left / "starts.json") in states[reached : reached + 2]
