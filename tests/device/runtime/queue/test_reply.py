"""A result on its way between two threads: the first word stands."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from device.runtime.queue.reply import Reply


def test_the_value_reaches_whoever_waits_for_it():
    reply = Reply()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(reply.wait, 30)
        reply.give({"lit": True})
        assert waiting.result() == {"lit": True}


def test_nothing_is_a_value_too():
    reply = Reply()
    reply.give(None)
    assert reply.wait(0) is None


def test_an_error_is_raised_where_somebody_waits():
    reply = Reply()
    reply.fail(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        reply.wait(0)


def test_what_comes_when_nobody_waits_any_more_changes_nothing():
    reply = Reply()
    assert reply.wanted
    with pytest.raises(TimeoutError):
        reply.wait(0)
    assert not reply.wanted
    reply.give(1)
    reply.fail(ValueError("late"))


def test_one_of_many_that_bring_a_result_at_the_same_moment_wins_and_the_others_do_no_harm():
    for _ in range(200):
        reply = Reply()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(reply.give, range(4)))
        assert reply.wait(0) in range(4)
