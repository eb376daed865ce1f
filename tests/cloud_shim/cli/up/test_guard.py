"""Children that die."""

import time

import pytest

from cloud_shim.cli.up.guard import LIMIT, WINDOW, Guard
from cloud_shim.cli.up.process import Process
from device.errors import LamplightError


@pytest.fixture
def child(tmp_path):
    made = Process("agent", ["sh", "-c", "echo no pin 17; exit 3"], tmp_path / "agent.log")
    yield made
    made.kill()


def dead(child: Process) -> None:
    deadline = time.monotonic() + 30
    while child.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_that_died_is_started_again_with_its_last_words_shown(child):
    told = []
    child.start()
    dead(child)
    Guard([child], told.append).look(0.0)
    assert child.pid
    assert "died (exit code 3)" in str(told[0])
    assert "no pin 17" in str(told[0])


def test_a_child_that_keeps_dying_is_given_up(child):
    guard = Guard([child], lambda error: None)
    child.start()
    for second in range(LIMIT):
        dead(child)
        guard.look(float(second))
    dead(child)
    with pytest.raises(LamplightError, match=f"died {LIMIT + 1} times"):
        guard.look(float(LIMIT))


def test_deaths_of_long_ago_do_not_count(child):
    guard = Guard([child], lambda error: None)
    child.start()
    for times in range(3 * LIMIT):
        dead(child)
        guard.look(times * WINDOW)


def test_a_child_that_runs_is_left_alone(tmp_path):
    child = Process("agent", ["sleep", "600"], tmp_path / "log")
    child.start()
    pid = child.pid
    try:
        Guard([child], lambda error: pytest.fail("it had not died")).look(0.0)
        assert child.pid == pid
    finally:
        child.kill()
