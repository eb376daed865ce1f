"""The labelled windows: what makes each scenario what it is can be seen in its readings."""

import numpy as np
import pytest

from models.presence import scenarios
from models.presence.scenarios import ABSENT, PRESENT, SHIFTED, TRAINING

EVERY = {**ABSENT, **PRESENT}


def windows(name, count=300, ranges=TRAINING):
    return scenarios.windows(EVERY[name], 7, count, ranges)


@pytest.mark.parametrize("ranges", [TRAINING, SHIFTED])
@pytest.mark.parametrize("name", EVERY)
def test_every_window_is_32_readings_that_a_sensor_can_give(name, ranges):
    lux = windows(name, 100, ranges)
    assert lux.shape == (100, 32)
    assert np.isfinite(lux).all()
    assert lux.min() >= 0
    assert lux.max() < 60_000


def test_the_same_seed_gives_the_same_windows_and_another_seed_others():
    again = scenarios.windows(ABSENT["clouds"], 7, 50, TRAINING)
    assert (windows("clouds", 50) == again).all()
    assert (scenarios.windows(ABSENT["clouds"], 8, 50, TRAINING) != again).any()


def bright(lux):
    """Only those bright enough for counting not to blur them."""
    return lux[lux.max(axis=1) > 100]


def test_a_passing_shadow_lies_in_the_window_whole():
    lux = bright(windows("passing"))
    ends = np.minimum(lux[:, :2].mean(axis=1), lux[:, -2:].mean(axis=1))
    assert np.mean(lux.min(axis=1) < 0.9 * ends) > 0.9


def test_a_hand_that_stays_leaves_the_window_dark_at_its_end():
    lux = bright(windows("covering"))
    assert (lux[:, -1] < 0.15 * lux[:, 0]).all()


def test_a_lamp_that_goes_off_leaves_more_light_than_a_hand():
    lux = bright(windows("lamp goes off"))
    assert (lux[:, -1] > 0.1 * lux[:, 0]).all()
    assert (lux[:, -1] < lux[:, 0]).all()


def test_headlights_only_add_light():
    lux = windows("headlights")
    assert np.mean(lux.min(axis=1) >= lux[:, [0, -1]].min(axis=1) - 1.0) == 1.0


def test_some_darkness_is_complete():
    share = np.mean(windows("dark").max(axis=1) == 0)
    assert 0.1 < share < 0.5
