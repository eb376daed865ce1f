"""The simulated board: light, hand, plug, and who is on the bus."""

import pytest

import boards
from device.hal.sim.parts.assembly import Assembly, Surroundings

BUS, ADDRESS = 1, 0x39


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def assembly(clock):
    return Assembly(boards.load("lamplight/simulated"), clock)


def counts(assembly, clock):
    assembly.transfer(BUS, ADDRESS, b"\x81\x01", 0)
    assembly.transfer(BUS, ADDRESS, b"\x80\x03", 0)
    clock.now += 0.25
    return int.from_bytes(assembly.transfer(BUS, ADDRESS, b"\xac", 2), "little")


def test_a_hand_over_the_sensor_lets_one_percent_through(assembly, clock):
    assembly.surround(Surroundings(lux=30_000))
    uncovered = counts(assembly, clock)
    assembly.surround(Surroundings(lux=30_000, covered=True))
    assert counts(assembly, clock) == pytest.approx(uncovered / 100, rel=0.02)


@pytest.mark.parametrize(("bus", "address"), [(BUS, 0x29), (0, ADDRESS)])
def test_an_address_without_a_chip_is_not_acknowledged(assembly, bus, address):
    with pytest.raises(OSError, match="121"):
        assembly.transfer(bus, address, b"", 0)


def test_an_unplugged_sensor_is_not_acknowledged_and_forgets_its_registers(assembly, clock):
    counts(assembly, clock)
    assembly.surround(Surroundings(unplugged=True))
    with pytest.raises(OSError, match="121"):
        assembly.transfer(BUS, ADDRESS, b"\x80", 1)
    assembly.surround(Surroundings())
    assert assembly.transfer(BUS, ADDRESS, b"\x80", 1) == b"\x00"


def test_changing_the_light_alone_leaves_the_registers(assembly, clock):
    counts(assembly, clock)
    assembly.surround(Surroundings(lux=5))
    assert assembly.transfer(BUS, ADDRESS, b"\x80", 1) == b"\x03"


def test_levels_are_by_the_names_of_the_board(assembly):
    assembly.gpio.wire(27, True)
    assert assembly.levels() == {"led": False, "button": True}
