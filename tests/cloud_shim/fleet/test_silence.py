"""A device that the broker takes to be there, and that is not heard."""

import pytest

from cloud_shim.fleet.silence import SILENT_AFTER, is_silent
from cloud_shim.tables import DeviceRow

NOW = 1_000_000.0
LONG_AGO = NOW - SILENT_AFTER - 1


@pytest.mark.parametrize(
    ("online", "last_seen", "listening", "expected"),
    [
        (True, LONG_AGO, LONG_AGO, True),
        (True, None, LONG_AGO, True),
        (True, NOW - SILENT_AFTER + 1, LONG_AGO, False),
        # The shim was away, or has been there for a moment only: it could not have heard anything.
        (True, LONG_AGO, NOW - 1, False),
        (True, LONG_AGO, None, False),
        (False, LONG_AGO, LONG_AGO, False),
        # Noted while the shim's clock was three years ahead: a dead device must not look alive for three years.
        (True, NOW + 1e8, LONG_AGO, True),
        (True, NOW + 1e8, NOW - 1, False),
        (True, NOW + 1e8, NOW + 1e8, True),
    ],
)
def test_silence_is_what_nobody_hears_who_listens(online, last_seen, listening, expected):
    assert is_silent(online, last_seen, listening, NOW) is expected


def test_a_device_and_a_broker_that_died_together_are_found_out(
    connected_shim, mosquitto, connect, admit, until, monkeypatch
):
    """The broker returns with what it had saved: "online", retained, of a device that is gone."""
    connected_shim.members.provision("pi", "lamplight/simulated", None)
    password = connected_shim.members.provision("pi", "lamplight/simulated", None)
    pi = connect(mosquitto.port, "pi", password)
    pi.publish("lamplight/1/home/d/pi/presence", b'{"online": true, "session": 1}', True)
    until(lambda: _row(connected_shim).online)
    mosquitto.stop()
    pi.mqtt.loop_stop()
    mosquitto.start()
    until(lambda: connected_shim.link.listening)
    view = connected_shim.fleet.view("pi", connected_shim.link.listening)
    assert (view["online"], view["silent"]) == (True, False)
    # Nothing comes for as long as it takes; the retained presence counted as no sign of life.
    later = connected_shim.link.listening + SILENT_AFTER + 1
    monkeypatch.setattr("cloud_shim.fleet.fleet.time.time", lambda: later)
    view = connected_shim.fleet.view("pi", connected_shim.link.listening)
    assert (view["online"], view["silent"]) == (False, True)
    changes = connected_shim.changes.count
    connected_shim.fleet.announce_silent(connected_shim.link.listening)
    connected_shim.fleet.announce_silent(connected_shim.link.listening)
    assert connected_shim.changes.count == changes + 1


def _row(shim):
    with shim.database.read() as session:
        return session.get_one(DeviceRow, "pi")
