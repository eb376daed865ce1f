"""`lamplight test` runs this; it stays on your machine."""

from pathlib import Path

import pytest

# Where the model's folder is; in a clone of Lamplight, with this function beside models/, it is here.
MODEL = Path(__file__).parents[2] / "models" / "presence"


@pytest.fixture
def lamp(function):
    if not MODEL.exists():
        pytest.skip(f"there is no model in {MODEL}: say in {Path(__file__).name} where it is")
    function.use(MODEL)
    return function


def test_nobody_there_leaves_it_dark(lamp):
    lamp.light(20, window=[20.0] * 32)
    assert lamp.pins["led"] is False


def test_a_hand_over_the_sensor_lights_it(lamp):
    lamp.light(1, window=[20.0] * 16 + [1.0] * 16)
    assert lamp.pins["led"] is True


def test_by_day_it_stays_off(lamp):
    lamp.light(100, window=[2000.0] * 16 + [100.0] * 16)
    assert lamp.pins["led"] is False
