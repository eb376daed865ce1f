"""One credential against the whole shim and a real broker: thrown out, told of, and the others go on."""

import pytest

from cloud_shim.broker import setup as broker
from cloud_shim.fleet.pauses import FIRST, LONGEST, SHARED
from cloud_shim.records import history
from cloud_shim.records.budget import RATES, Rate
from cloud_shim.records.history import Wanted
from cloud_shim.tables import DeviceRow, ReportRow
from device.protocol import topics
from device.protocol.messages import Batch, Presence, encode
from device.protocol.topics import ENROL_USER
from tests import samples

BOARD = "lamplight/simulated"
ROOT = "lamplight/1/home"


class Fleet:
    """A connected shim with the clock of its pauses in the test's hands, and clients with its devices' passwords."""

    def __init__(self, shim, mosquitto, connect, until) -> None:
        self.shim, self._port, self._connect, self._until = shim, mosquitto.port, connect, until
        self.state = mosquitto.state
        self.ahead = 0.0
        clock = shim.pauses._clock
        shim.pauses._clock = lambda: clock() + self.ahead
        self.passwords = {ENROL_USER: broker.enrol_password(mosquitto.state)}

    def device(self, name):
        self.passwords[name] = self.shim.members.provision(name, BOARD, None)
        return self.connect(name)

    def connect(self, name, id="", wait=True):
        return self._connect(self._port, name, self.passwords[name], wait, id=id)

    def observer(self):
        return self._connect(self._port, "_shim", broker.shim_password(self.state), id="observer")

    def kept_out(self, name):
        self._until(lambda: name in self.shim.pauses.known(), f"{name} is kept out")

    def pass_time(self, seconds):
        self.ahead += seconds
        self.shim._look_for_floods()

    def records(self, device):
        return len(history.records(self.shim.database, Wanted(device=device), 0, 1000))


@pytest.fixture
def fleet(connected_shim, mosquitto, connect, until):
    return Fleet(connected_shim, mosquitto, connect, until)


def batch(seq):
    return Batch("1-0123abcd", [samples.log(seq)]).encode()


def test_a_device_that_floods_is_thrown_out_and_comes_back_after_a_pause_while_the_others_go_on(
    fleet, until, monkeypatch
):
    monkeypatch.setitem(RATES, "up", Rate(40, 1_000_000, 40))
    tv, pi = fleet.device("tv"), fleet.device("pi")
    tv.publish(f"{ROOT}/d/tv/presence", Presence(True, 1).encode(), retain=True)
    for seq in range(200):
        tv.mqtt.publish(topics.up("home", "tv", "logs"), batch(seq), 0)
    fleet.kept_out("tv")
    until(lambda: tv.refused, "the broker refuses the flooder")
    pi.publish(topics.up("home", "pi", "logs"), batch(1))
    until(lambda: fleet.records("pi") == 1, "the other's record")
    assert not pi.refused
    fleet.pass_time(0)
    with fleet.shim.database.read() as session:
        assert not session.get_one(DeviceRow, "tv").online
    # The rest of the flood may come late, and begin a second pause.
    until(lambda: fleet.pass_time(LONGEST + 1) or tv.connected(), "the flooder is let in again")


def test_letting_all_devices_in_anew_keeps_the_flooder_out(fleet, until):
    tv = fleet.device("tv")
    fleet.shim.pauses.flooded("tv")
    until(lambda: tv.refused, "the broker refuses the flooder")
    fleet.shim.members.admit_all()
    tv.refused.clear()
    until(lambda: tv.refused, "the broker goes on refusing")


def test_states_that_the_broker_dropped_in_a_flood_are_heard_all_the_same(fleet, until):
    pi, _ = fleet.device("pi"), fleet.device("tv")
    pi.publish(f"{ROOT}/d/pi/reported", encode(samples.report(boot="5-0123abcd")), retain=True)

    def heard():
        with fleet.shim.database.read() as session:
            return session.get(ReportRow, "pi")

    until(heard, "the report")
    with fleet.shim.database.write() as session:
        # As if it had never come.
        session.delete(session.get_one(ReportRow, "pi"))
    fleet.shim.pauses.flooded("tv")
    fleet.pass_time(1)
    until(heard, "the report, from what the broker keeps")


def test_what_devices_have_the_broker_keep_is_removed_and_told(fleet):
    tv = fleet.device("tv")
    for topic in (f"{ROOT}/t/rooms/light", f"{ROOT}/d/tv/reply/lamp", f"{ROOT}/d/tv/reply/fan"):
        tv.publish(topic, b"12345", retain=True)
    fleet.pass_time(0)
    noted = {key: (each.number, each.bytes) for key, each in fleet.shim.excesses.known().items()}
    assert noted == {(SHARED, "retained"): (1, 5), ("tv", "retained"): (2, 10)}
    assert fleet.shim.pauses.known() == {}


def test_a_flood_of_replies_to_be_kept_throws_the_device_out(fleet):
    tv = fleet.device("tv")
    for number in range(120):
        tv.mqtt.publish(f"{ROOT}/d/tv/reply/f{number}", b"1", 1, True)
    tv.publish(f"{ROOT}/d/tv/reply/last", b"1", retain=True)
    fleet.pass_time(0)
    assert list(fleet.shim.pauses.known()) == ["tv"]


def test_a_flood_of_messages_to_be_kept_on_shared_topics_closes_these_and_nothing_else(fleet, until):
    tv, pi = fleet.device("tv"), fleet.device("pi")
    pi.subscribe(f"{ROOT}/t/#", 1)
    for number in range(120):
        tv.mqtt.publish(f"{ROOT}/t/flood/n{number}", b"1", 1, True)
    tv.publish(f"{ROOT}/t/flood/last", b"1", retain=True)
    fleet.pass_time(0)
    assert list(fleet.shim.pauses.known()) == [SHARED]

    def closed():
        tv.publish(f"{ROOT}/t/hello", b"closed?")
        before = len(pi.of(f"{ROOT}/t/hello"))
        pi.publish(topics.up("home", "pi", "logs"), batch(1))
        return len(pi.of(f"{ROOT}/t/hello")) == before

    until(closed, "the shared topics are closed")
    until(lambda: fleet.records("pi"), "the records of the others")
    assert tv.connected()
    fleet.pass_time(FIRST + 1)
    until(lambda: not closed(), "the shared topics are open again")


def test_a_flood_of_asks_closes_the_door_for_a_time_and_fills_nothing(fleet, until, monkeypatch):
    monkeypatch.setitem(RATES, "ask", Rate(8, 100_000, 8))
    pi, stranger = fleet.device("pi"), fleet.connect(ENROL_USER, "abc")
    for number in range(40):
        stranger.mqtt.publish(f"{ROOT}/e/{ENROL_USER}/abc/ask", f"{number}".encode(), 1)
    fleet.kept_out(ENROL_USER)
    access = broker.folder(fleet.state) / "access"
    until(lambda: "pattern write" not in access.read_text(), "the door is closed")
    assert pi.connected()
    # The rest of the flood may come late, and begin a second pause.
    until(lambda: fleet.pass_time(LONGEST + 1) or "pattern write" in access.read_text(), "the door is open again")
    assert broker.enrol_password(fleet.state) == fleet.passwords[ENROL_USER]


def test_a_person_who_voids_the_cards_or_revokes_a_device_ends_the_pause(fleet):
    fleet.device("tv")
    for name in (ENROL_USER, SHARED):
        fleet.shim.pauses.flooded(name)
    fleet.shim.void_cards()
    assert list(fleet.shim.pauses.known()) == [SHARED]
    fleet.shim.revoke("tv")
    assert fleet.shim.pauses.known() == {}


def test_nothing_that_a_revoked_device_left_stays_on_the_broker(fleet, until, make_function):
    tv = fleet.device("tv")
    left = [f"{ROOT}/d/tv/{kind}" for kind in ("presence", "reported", "want", "up/logs")]
    for topic in [*left, f"{ROOT}/t/poison"]:
        tv.publish(topic, b"{}", retain=True)
    fleet.shim.revoke("tv")
    fleet.pass_time(0)

    def remaining():
        observer = fleet.observer()
        observer.subscribe(f"{ROOT}/#", 1)
        observer.publish(f"{ROOT}/x", b"all came")
        until(lambda: observer.of(f"{ROOT}/x"), "everything")
        found = [topic for topic, payload in observer.received if payload and not topic.endswith("/x")]
        observer.close()
        return found

    until(lambda: remaining() == [], "nothing is left")
