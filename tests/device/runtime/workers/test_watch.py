"""Waiting for an idle worker, and looking away from it while another thread has it."""

import os
import threading

import pytest
from runtime_bench import until

from device.runtime.workers.watch import EpollWatch, PollWatch


@pytest.fixture(params=[EpollWatch, PollWatch])
def watched(request):
    """A watch, the writing ends of its channel and of its other, and the reading end of that."""
    (channel, talk), (other, nudge) = os.pipe(), os.pipe()
    watch = request.param(channel, [other])
    yield watch, talk, nudge, other
    watch.close()
    for fd in (channel, talk, other, nudge):
        os.close(fd)


def waiting(watch):
    woken = threading.Event()
    thread = threading.Thread(target=lambda: (watch.wait(), woken.set()), daemon=True)
    thread.start()
    return woken


@pytest.mark.parametrize("which", ["channel", "other"])
def test_what_happens_on_either_wakes_the_one_who_waits(watched, which):
    watch, talk, nudge, _ = watched
    woken = waiting(watch)
    os.write(talk if which == "channel" else nudge, b"!")
    until(woken.is_set)


def test_a_nudge_wakes_also_the_one_who_looks_away(watched):
    watch, _, nudge, _ = watched
    watch.hush()
    woken = waiting(watch)
    os.write(nudge, b"!")
    until(woken.is_set)


def test_what_came_while_it_looked_away_is_seen_afterwards(watched):
    watch, talk, _, _ = watched
    watch.hush()
    os.write(talk, b"!")
    watch.listen()
    until(waiting(watch).is_set)


def test_with_epoll_a_channel_that_is_hushed_wakes_nobody():
    (channel, talk), (other, nudge) = os.pipe(), os.pipe()
    watch = EpollWatch(channel, [other])
    watch.hush()
    os.write(talk, b"!")
    assert watch._epoll.poll(0) == []
    watch.listen()
    assert [fd for fd, _ in watch._epoll.poll(0)] == [channel]
    watch.close()
    for fd in (channel, talk, other, nudge):
        os.close(fd)


def test_one_that_has_ended_is_forgotten_and_wakes_nobody_any_more(watched):
    watch, talk, nudge, other = watched
    watch.forget(other)
    os.write(nudge, b"!")
    woken = waiting(watch)
    assert not woken.is_set()
    os.write(talk, b"!")
    until(woken.is_set)
