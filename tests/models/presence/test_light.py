"""The physics: each part does what its source says of it."""

import importlib

import numpy as np
import pytest

from device.hal.sim.stand_ins.install import FORCED
from models.presence import light

TIMES = light.timeline(0.1)


def rooms(count, lamps=0.0, daylight=0.0, flicker=0.0, mains=50.0):
    flat = np.ones((count, len(TIMES)))
    return light.Room(
        daylight * flat,
        lamps * flat,
        np.full(count, flicker),
        np.full(count, mains),
        np.full(count, 0.25),
    )


def read(room, seed=1, period=0.1):
    return light.read(np.random.default_rng(seed), room, np.full(len(room.daylight), period), TIMES)


@pytest.mark.parametrize("lux", [1.0, 100.0, 2_500.0, 4_000.0, 20_000.0])
def test_steady_light_is_read_as_it_is_at_either_gain(lux):
    readings = read(rooms(200, daylight=lux))
    assert readings.mean() == pytest.approx(lux, rel=0.02)
    assert readings.std() < 0.002 * lux + 0.1


def test_darkness_is_read_as_zero_and_never_below():
    assert read(rooms(5)).tolist() == np.zeros((5, 32)).tolist()
    assert read(rooms(200, daylight=0.1)).min() >= 0


def test_light_beyond_the_range_is_clipped():
    assert read(rooms(3, daylight=1e6)).max() < 60_000


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_full_flicker_averages_to_one_percent_over_the_integration_time(mains):
    readings = read(rooms(500, lamps=1000.0, flicker=1.0, mains=mains))
    swing = np.abs(readings / 1000 - 1)
    # |sinc(100 Hz * 0.101 s)| is 0.0097, and noise and counting add a little.
    assert 0.007 < swing.max() < 0.016


def test_daylight_does_not_flicker():
    quiet = read(rooms(200, daylight=1000.0, flicker=1.0)).std()
    assert quiet < read(rooms(200, lamps=1000.0, flicker=1.0)).std() / 2


@pytest.fixture(scope="module")
def compute_lux():
    """The driver's formula. Blinka decides at its first import which board the process is on: the simulated."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FORCED.items():
            patch.setenv(name, value)
        return importlib.import_module("adafruit_tsl2561").TSL2561._compute_lux


@pytest.mark.parametrize(
    ("broadband", "infrared"), [(0, 0), (1000, 100), (1000, 550), (1000, 700), (1000, 1200), (10, 90)]
)
def test_the_lux_formula_is_the_boards_driver(broadband, infrared, compute_lux):
    # The unmodified driver's formula over the same counts, at gain 16 and 402 ms, where it scales by one.
    driver = type("Counts", (), {"luminosity": (broadband, infrared), "gain": 1, "integration_time": 2})()
    ours = light.driver_lux(np.array([float(broadband)]), np.array([float(infrared)]))[0]
    assert ours == pytest.approx(compute_lux(driver) or 0.0)


def test_the_suns_day_is_a_sine_from_six_to_six():
    noon = np.full(4, 1000.0)
    hours = np.array([3.0, 6.0, 9.0, 12.0])
    start = light.day_curve(noon, hours, TIMES)[:, 0]
    assert start == pytest.approx([0, 0, 1000 * np.sin(np.pi / 4), 1000])


def clouds(sigma, relaxation, penumbra, count=400):
    rng = np.random.default_rng(3)
    return light.cloud_transmittance(
        rng, np.full(count, sigma), np.full(count, relaxation), np.full(count, penumbra), TIMES
    )


def test_the_log_of_the_clouds_transmittance_has_the_spread_that_was_asked_for():
    logarithm = np.log(clouds(0.5, 60.0, 1.5, count=4000))
    assert logarithm[:, 0].std() == pytest.approx(0.5, rel=0.1)
    assert logarithm[:, 0].mean() == pytest.approx(0.0, abs=0.05)


def test_a_clouds_edge_takes_seconds():
    factor = clouds(0.6, 20.0, 1.5)
    within_a_tenth = np.abs(np.log(factor[:, 10:] / factor[:, :-10]))
    # The same change of light without the penumbra is a jump of some percent.
    assert np.quantile(within_a_tenth, 0.99) < 0.04


def test_a_pulse_begins_and_ends_where_it_should_and_is_full_between():
    one = np.array([1.0])
    shape = light.pulse(one, one * 0.5, one * 0.1, TIMES)[0]
    assert shape[TIMES <= 1.0].max() == 0
    assert shape[(TIMES > 1.11) & (TIMES < 1.39)].min() == pytest.approx(1.0)
    assert shape[TIMES >= 1.51].max() == 0


def test_a_switched_filament_is_most_of_the_way_after_one_time_constant():
    one = np.array([1.0])
    lamp = light.switched(one * 0, one * 100, one, one * 0.1, TIMES)[0]
    assert lamp[TIMES < 1.0].max() == 0
    assert lamp[np.searchsorted(TIMES, 1.1)] == pytest.approx(63.2, abs=5)
    assert lamp[-1] == pytest.approx(100, abs=0.1)


def test_restless_movement_has_the_frequencies_that_were_asked_for():
    times = np.arange(0, 60, light.STEP)
    low, high = np.full(50, 1.0), np.full(50, 2.0)
    movement = light.restless(np.random.default_rng(4), low, high, times)
    power = np.abs(np.fft.rfft(movement)) ** 2
    frequency = np.fft.rfftfreq(len(times), light.STEP)
    inside = (frequency >= 0.9) & (frequency <= 2.1)
    assert power[:, inside].sum() > 0.95 * power.sum()
    assert movement.std() == pytest.approx(1.0, rel=0.1)
