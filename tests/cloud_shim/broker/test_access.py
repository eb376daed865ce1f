"""Who may use which topic."""

import pytest

from cloud_shim.broker import access

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
    assert not access.may("home", "pi", "write", f"{ROOT}/d/pi/up/invented")


def test_functions_of_the_fleet_meet_on_topics_that_every_device_may_use():
    for direction in ("read", "write"):
        assert access.may("home", "pi", direction, f"{ROOT}/t/light/changed")
        assert not access.may("home", "pi", direction, "lamplight/1/work/t/light/changed")
        assert not access.may("home", "pi", direction, f"{ROOT}/tea")


def test_everybody_may_ask_for_a_password_in_his_own_name_only():
    assert access.may("home", "pi", "write", f"{ROOT}/e/pi/lamplight-home-pi/ask")
    assert access.may("home", "pi", "read", f"{ROOT}/e/pi/lamplight-home-pi/answer")
    assert not access.may("home", "pi", "write", f"{ROOT}/e/tv/lamplight-home-tv/ask")
    assert not access.may("home", "pi", "write", f"{ROOT}/e/pi/lamplight-home-pi/answer")


def test_who_is_no_device_may_nothing_with_the_built_in_broker():
    for topic in ("e/_enrol/x/ask", "t/light", "d/_enrol/presence", f"c/{'a' * 64}"):
        for direction in ("read", "write"):
            assert not access.may("home", "_enrol", direction, f"{ROOT}/{topic}")


def test_the_access_file_says_again_who_stands_in_it():
    assert access.listed(access.mosquitto_acl("home", ["pi", "tv"])) == {"pi", "tv"}
    assert access.listed(access.mosquitto_acl("home")) == set()


def test_the_topic_tells_the_writer_unless_it_is_everybodys():
    assert access.writer("lamplight/1/home/d/tv/reply/lamp") == "tv"
    assert access.writer("lamplight/1/home/e/_enrol/abc/ask") == "_enrol"
    assert access.writer("lamplight/1/home/t/d/tv/x") == ""
