"""The engine's account of itself: where it stands, how a download goes, and why generations failed."""

import pytest

from device.update import slots, status
from device.update.slots import Slots
from device.update.status import Reporter, Update
from tests.device.update.test_slots import committed, deployment


class Told:
    """A reporter whose clock the test sets, and what its listeners were told."""

    def __init__(self, others=()):
        self.now, self.changes, self.events = 0.0, 0, []
        self.reporter = Reporter(self.changed, self.events.append, lambda: self.now, dict(others))

    def changed(self):
        self.changes += 1

    @property
    def status(self):
        return self.reporter.status


@pytest.fixture
def told():
    return Told()


def test_a_transition_is_an_event_and_the_new_status(told):
    told.reporter.transition(committed(Slots(), 1), 2, status.FETCHING, "why", part="functions/lamp")
    assert told.status == Update(generation=1, update=2, state="FETCHING", reason="why", part="functions/lamp")
    assert (told.events, told.changes) == ([told.status], 1)
    told.reporter.transition(Slots(), 3, status.VERIFIED)
    assert told.status == Update(update=3, state="VERIFIED")


def test_an_aside_is_an_event_and_leaves_the_status_to_what_is_in_progress(told):
    told.reporter.transition(committed(Slots(), 1), 3, status.FETCHING)
    told.reporter.transition(committed(committed(Slots(), 1), 2), 2, "COMMITTED", aside=True)
    assert (told.events[-1].update, told.events[-1].state) == (2, "COMMITTED")
    assert (told.status.update, told.status.state, told.status.generation) == (3, "FETCHING", 2)
    assert told.changes == 2


def test_what_was_fetched_stays_known_in_the_later_states_of_a_generation_and_not_in_another(told):
    told.reporter.transition(Slots(), 2, status.FETCHING)
    told.reporter.fetching(10, 50, 90)
    told.reporter.transition(Slots(), 2, status.STAGED)
    assert (told.status.bytes, told.status.total, told.status.whole) == (10, 50, 90)
    told.reporter.transition(Slots(), 3, status.FETCHING)
    assert (told.status.bytes, told.status.total, told.status.whole) == (0, 0, 0)


def test_the_generation_to_fall_back_to_is_the_active_one_in_a_trial_and_else_the_previous_one(told):
    state = committed(committed(Slots(), 1), 2)
    told.reporter.rest(state)
    assert (told.status.generation, told.status.previous) == (2, 1)
    told.reporter.rest(slots.begin_trial(state, deployment(3)))
    assert (told.status.generation, told.status.previous) == (3, 2)
    told.reporter.rest(Slots())
    assert (told.status.generation, told.status.previous) == (0, 0)


def test_at_rest_a_board_stands_where_its_slots_say(told):
    told.reporter.rest(Slots())
    assert (told.status.update, told.status.state) == (0, "IDLE")
    state = slots.believe(committed(Slots(), 1), 1)
    told.reporter.rest(state)
    assert (told.status.update, told.status.state, told.status.reason) == (1, "COMMITTED", "")
    failed = slots.revert(slots.begin_trial(slots.believe(state, 2), deployment(2)), "boom", {"kind": "errors"})
    told.reporter.rest(failed)
    assert (told.status.update, told.status.state, told.status.reason) == (2, "REVERTED", "boom")
    assert (dict(told.status.failed), dict(told.status.evidence)) == ({2: "boom"}, {2: {"kind": "errors"}})
    # A later one that never came to a trial is no failure of the board's.
    told.reporter.rest(slots.believe(failed, 3))
    assert (told.status.update, told.status.state) == (1, "COMMITTED")


def test_failures_beyond_the_slots_are_told_and_the_slots_have_the_last_word():
    told = Told({2: "the agent", 9: "elsewhere"})
    told.reporter.rest(slots.revert(slots.begin_trial(committed(Slots(), 1), deployment(2)), "boom"))
    assert (dict(told.status.failed), dict(told.status.evidence)) == ({2: "boom", 9: "elsewhere"}, {})


def test_progress_is_told_once_a_second_with_its_rate(told):
    told.now = 5.0
    told.reporter.fetching(100, 1000, 2000)
    assert (told.status.bytes, told.status.total, told.status.whole, told.status.rate) == (100, 1000, 2000, 0)
    told.now = 5.9
    told.reporter.progress(200)
    assert (told.status.bytes, told.changes) == (100, 1)
    told.now = 7.0
    told.reporter.progress(300)
    assert (told.status.bytes, told.status.rate, told.changes) == (300, 100, 2)


def test_the_rate_goes_halfway_to_the_new_one_and_sinks_when_nothing_comes(told):
    told.reporter.fetching(0, 1000, 1000)
    for now, stored, rate in ((1.0, 100, 100), (2.0, 400, 200), (3.0, 401, 100)):
        told.now = now
        told.reporter.progress(stored)
        assert told.status.rate == rate
    told.reporter.fetching(0, 500, 500)
    assert told.status.rate == 0


def test_the_end_of_a_download_is_told_at_once(told):
    told.reporter.fetching(0, 1000, 1000)
    told.now = 0.1
    told.reporter.progress(1000)
    assert (told.status.bytes, told.status.rate, told.changes) == (1000, 0, 2)
