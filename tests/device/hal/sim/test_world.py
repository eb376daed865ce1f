"""The world around the simulated board, and what its client says when there is none."""

import pytest

from device.errors import OfflineError, UsageError
from device.hal.sim.world import World


def test_the_world_begins_lit_uncovered_and_plugged_in(world):
    assert world.state() == {
        "lux": 300.0,
        "covered": False,
        "unplugged": False,
        "pins": {"led": False, "button": False},
    }


def test_what_is_not_given_stays_and_everybody_sees_the_change(simulation, world):
    world.set(lux=12.5)
    world.set(covered=True)
    with World.connect(simulation.socket) as other:
        assert other.set(unplugged=True) == {**world.state(), "lux": 12.5, "covered": True, "unplugged": True}


@pytest.mark.parametrize("lux", [-1, float("nan"), float("inf"), 1e9, "bright"])
def test_impossible_light_is_refused_and_changes_nothing(world, lux):
    with pytest.raises(UsageError, match="lux"):
        world.set(lux=lux)
    assert world.state()["lux"] == 300.0


def test_a_button_is_pressed_by_name(world):
    world.wire("button", True)
    assert world.state()["pins"] == {"led": False, "button": True}
    with pytest.raises(UsageError, match="no pin 'nose'"):
        world.wire("nose", True)


def test_without_the_process_it_says_what_to_start(tmp_path):
    with pytest.raises(OfflineError, match=r"python -m device\.hal\.sim --socket .*hw\.sock"):
        World.connect(tmp_path / "hw.sock")


def test_it_finds_the_process_again_after_a_restart(simulation, world):
    simulation.stop()
    with pytest.raises(OfflineError, match="does not answer"):
        world.state()
    simulation.start()
    assert world.state()["lux"] == 300.0
