"""What a credential has the broker keep without need is gone soon."""

import pytest

from cloud_shim.broker import setup as broker
from cloud_shim.broker.strays import Strays

ROOT = "lamplight/1/home"


@pytest.fixture
def strays(either_broker):
    made = Strays("127.0.0.1", either_broker.port, "home", broker.shim_password(either_broker.state))
    yield made
    made.close()


def test_messages_kept_without_need_are_taken_away_and_those_of_ours_stay(strays, either_broker, admit, connect, until):
    passwords = admit(either_broker, "pi", "tv")
    tv = connect(either_broker.port, "tv", passwords["tv"])
    asks = f"{ROOT}/e/tv/tv/ask"
    junk = [f"{ROOT}/t/rooms/light", f"{ROOT}/t/No/NAME/1/2/3/4/5/6/7/8", f"{ROOT}/d/tv/reply/lamp", asks]
    for topic in [*junk, f"{ROOT}/d/tv/presence", f"{ROOT}/d/tv/reported"]:
        tv.publish(topic, b"kept", retain=True)
    assert strays.clear() == dict.fromkeys(junk, 4)
    # The fallback acknowledges what it is told before it has done it.
    until(lambda: strays.clear() == {}, "nothing is left of them")
    shim = connect(either_broker.port, "_shim", broker.shim_password(either_broker.state))
    shim.subscribe(f"{ROOT}/#", 1)
    kept = {f"{ROOT}/d/tv/presence", f"{ROOT}/d/tv/reported"}
    until(lambda: {topic for topic, _ in shim.received} == kept, "the states are kept")


def test_more_than_the_broker_gives_at_once_is_gone_in_a_few_looks(mosquitto, admit, connect, until):
    tv = connect(mosquitto.port, "tv", admit(mosquitto, "tv")["tv"])
    for number in range(3000):
        tv.mqtt.publish(f"{ROOT}/t/flood/n{number}", b"x", 1, True)
    tv.publish(f"{ROOT}/t/flood/last", b"x", retain=True)
    strays = Strays("127.0.0.1", mosquitto.port, "home", broker.shim_password(mosquitto.state))
    sizes = [len(strays.clear()) for _ in range(6)]
    assert (sum(sizes), sizes[-1]) == (3001, 0)
    strays.close()


def test_what_a_revoked_device_left_is_found_too(mosquitto, admit, connect):
    tv = connect(mosquitto.port, "tv", admit(mosquitto, "tv")["tv"])
    tv.publish(f"{ROOT}/t/poison", b"x", retain=True)
    admit(mosquitto, "pi")
    strays = Strays("127.0.0.1", mosquitto.port, "home", broker.shim_password(mosquitto.state))
    assert list(strays.clear()) == [f"{ROOT}/t/poison"]
    strays.close()


def test_messages_of_the_moment_are_left_alone_and_an_absent_broker_is_no_fault(strays, either_broker):
    assert strays.clear() == {}
    either_broker.stop()
    assert strays.clear() == {}
    either_broker.start()
    assert strays.clear() == {}
