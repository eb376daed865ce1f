"""Which readings are events."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device.triggers.sensor.gate import Change, Threshold, gate


def seen(the_gate, *lux):
    return [the_gate.see(each).removeprefix("lamplight.sensor.") for each in lux]


def test_without_a_condition_every_reading_is_an_event():
    assert seen(gate(None, None, None), 1.0, 1.0) == ["reading", "reading"]


def test_light_that_flickers_within_the_band_gives_no_event():
    assert seen(gate(60, 40, None), 10, 50, 59, 41, 61, 50, 41, 59, 39) == [
        "below",
        "",
        "",
        "",
        "above",
        "",
        "",
        "",
        "below",
    ]


def test_the_first_reading_says_on_which_side_it_is_unless_it_is_between():
    assert seen(Threshold(60, 40), 50, 50, 70) == ["", "", "above"]


def test_a_slow_drift_is_told_each_time_it_has_gone_far_enough():
    assert seen(gate(None, None, 5), 100, 102, 104, 105, 107, 101, 100) == [
        "change",
        "",
        "",
        "change",
        "",
        "",
        "change",
    ]


@given(st.lists(st.floats(0, 1000)), st.floats(0, 500), st.floats(0, 500))
def test_crossings_alternate(lux, low, width):
    told = [each for each in seen(Threshold(low + width, low), *lux) if each]
    assert all(a != b for a, b in pairwise(told))


@given(st.lists(st.floats(0, 1000)), st.floats(0.1, 500))
def test_nothing_is_further_from_the_last_event_than_delta(lux, delta):
    the_gate, last = Change(delta), None
    for each in lux:
        if the_gate.see(each):
            last = each
        assert abs(each - last) < delta
