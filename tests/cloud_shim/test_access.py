"""Who may use which topic."""

import pytest

from cloud_shim import access

ROOT = "lamplight/1/home"


@pytest.mark.parametrize(
    ("direction", "topic"),
    [
        ("write", "d/pi/presence"),
        ("write", "d/pi/reported"),
        ("write", "d/pi/want"),
        ("write", "d/pi/up/telemetry"),
        ("write", "d/pi/reply/night-light"),
        ("read", "d/pi/desired"),
        ("read", "d/pi/ack"),
        ("read", "d/pi/call/night-light"),
        ("read", f"c/{'a' * 64}"),
    ],
)
def test_a_device_uses_its_own_topics_in_one_direction_only(direction, topic):
    other = "read" if direction == "write" else "write"
    assert access.may("home", "pi", direction, f"{ROOT}/{topic}")
    assert not access.may("home", "pi", other, f"{ROOT}/{topic}")
    if topic.startswith("d/"):
        assert not access.may("home", "tv", direction, f"{ROOT}/{topic}")
    assert not access.may("work", "pi", direction, f"{ROOT}/{topic}")


def test_nobody_reaches_outside_the_fleet():
    assert access.may("home", access.SHIM_USER, "write", f"{ROOT}/d/pi/desired")
    assert not access.may("home", access.SHIM_USER, "read", "lamplight/1/work/d/pi/desired")
    assert not access.may("home", "pi", "write", f"{ROOT}/d/pi/up/a/b")


def test_functions_of_the_fleet_meet_on_topics_that_every_device_may_use():
    for direction in ("read", "write"):
        assert access.may("home", "pi", direction, f"{ROOT}/t/light/changed")
        assert not access.may("home", "pi", direction, "lamplight/1/work/t/light/changed")
        assert not access.may("home", "pi", direction, f"{ROOT}/tea")
