"""Who may hold which hardware together."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import boards
from device.errors import LeaseError
from device.hal.leases import check
from device.protocol.manifest import FunctionManifest, PinLease, StateTable

# The machine may be busy with other things.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

BOARD = boards.load("raspberry-pi/4b")


def function(name, pins=None, sensors=()):
    leases = {pin: PinLease(direction, False) for pin, direction in (pins or {}).items()}
    return FunctionManifest(
        name, "main", "handler", 1, 1.0, [], leases, list(sensors), [], StateTable(1, 1, ("", "")), {}
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
