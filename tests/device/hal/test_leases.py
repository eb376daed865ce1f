"""Who may hold which hardware together."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import boards
from device.errors import LeaseError
from device.hal.leases import check
from device.protocol.manifest import FunctionManifest, PinLease, StateTable
from device.protocol.triggers import GpioTrigger

# The machine may be busy with other things.
RELAXED = settings(suppress_health_check=[HealthCheck.too_slow])

BOARD = boards.load("raspberry-pi/4b")


def function(name, pins=None, sensors=(), buses=(), triggers=()):
    leases = {pin: PinLease(direction, False) for pin, direction in (pins or {}).items()}
    return FunctionManifest(
        name=name,
        module="main",
        attribute="handler",
        memory=1,
        timeout=1.0,
        triggers=list(triggers),
        pins=leases,
        sensors=list(sensors),
        models=[],
        state=StateTable(1, 1, ("", "")),
        config={},
        buses=buses,
    )


def test_a_sensor_and_an_input_may_be_shared():
    readers = [function(name, {"button": "in"}, ["light"]) for name in ("a", "b", "c")]
    check(BOARD, [*readers, function("d", {"led": "out"})])


def test_two_functions_cannot_drive_one_pin_and_both_are_named():
    with pytest.raises(LeaseError, match="day and night both lease the pin 'led'"):
        check(BOARD, [function("day", {"led": "out"}), function("night", {"led": "out"})])


@pytest.mark.parametrize("directions", [("in", "out"), ("out", "in")])
def test_a_pin_that_one_function_drives_cannot_be_read_by_another(directions):
    with pytest.raises(LeaseError, match="both lease"):
        check(BOARD, [function(f"f{i}", {"led": d}) for i, d in enumerate(directions)])


def test_a_missing_pin_is_refused_with_those_that_there_are():
    with pytest.raises(LeaseError, match=r"night leases the pin 'lamp'.*button, led"):
        check(BOARD, [function("night", {"lamp": "out"})])


def test_a_missing_sensor_is_refused_with_those_that_there_are():
    with pytest.raises(LeaseError, match=r"night leases the sensor 'sound'.*light"):
        check(BOARD, [function("night", sensors=["sound"])])


def test_two_functions_with_drivers_of_their_own_cannot_share_a_bus():
    with pytest.raises(LeaseError, match="one and two both lease the bus 'i2c'"):
        check(BOARD, [function("one", buses=["i2c"]), function("two", buses=["i2c"])])


def test_a_bus_may_be_leased_beside_the_sensors_on_it():
    check(BOARD, [function("one", buses=["i2c"]), function("two", sensors=["light"])])


def test_a_missing_bus_is_refused_with_those_that_there_are():
    with pytest.raises(LeaseError, match=r"one leases the bus 'spi'.*i2c"):
        check(BOARD, [function("one", buses=["spi"])])


def test_several_functions_may_watch_a_pin():
    check(BOARD, [function(name, triggers=[GpioTrigger("button")]) for name in ("a", "b")])


def test_a_pin_cannot_be_watched_with_two_pulls():
    with pytest.raises(LeaseError, match="a and b both watch the pin 'button'"):
        check(BOARD, [function(n, triggers=[GpioTrigger("button", pull=p)]) for n, p in (("a", ""), ("b", "down"))])


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_watched_pin_cannot_be_leased_by_another_or_by_the_same(direction):
    watching = function("a", triggers=[GpioTrigger("button")])
    with pytest.raises(LeaseError, match="a and b both use the pin 'button'"):
        check(BOARD, [watching, function("b", {"button": direction})])
    with pytest.raises(LeaseError, match="a leases the pin 'button' and has a trigger on it"):
        check(BOARD, [function("a", {"button": direction}, triggers=[GpioTrigger("button")])])


def test_a_missing_pin_cannot_be_watched():
    with pytest.raises(LeaseError, match=r"a leases the pin 'bell'.*button, led"):
        check(BOARD, [function("a", triggers=[GpioTrigger("bell")])])


PINS = st.dictionaries(st.sampled_from(["led", "button"]), st.sampled_from(["in", "out"]))


@RELAXED
@given(st.lists(PINS, max_size=6))
def test_leases_hold_exactly_when_no_driven_pin_has_a_second_user(all_pins):
    functions = [function(f"f{i}", pins) for i, pins in enumerate(all_pins)]
    users = {pin: [pins[pin] for pins in all_pins if pin in pins] for pin in ("led", "button")}
    if any(len(directions) > 1 and "out" in directions for directions in users.values()):
        with pytest.raises(LeaseError):
            check(BOARD, functions)
    else:
        check(BOARD, functions)
