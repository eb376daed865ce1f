"""The whole shim with a real broker, and a paho client as the device."""

import asyncio
import json
import threading

import pytest
from sqlalchemy import select

from cloud_shim.broker import setup as broker
from cloud_shim.config import Config
from cloud_shim.fleet import publisher
from cloud_shim.fleet.deployments import Trial
from cloud_shim.records.budgets import Message
from cloud_shim.shim import Shim
from cloud_shim.tables import SeededRow
from device.artifact import archive
from device.artifact import patch as patching
from device.errors import OfflineError, RejectedError, UntrustedError
from device.protocol import chunks, topics
from device.protocol.chunks import CHUNK_SIZE
from device.protocol.messages import Batch, Call, Presence, Reply, call, encode, encode_want
from device.trust.verifier import Verifier
from tests import samples

BOARD = "lamplight/simulated"


class Device:
    """A provisioned device: its client on the broker, its verifier, its topics."""

    def __init__(self, shim, connect, port, name, folder) -> None:
        password = shim.members.provision(name, BOARD, None)
        self.name = name
        self.client = connect(port, name, password)
        roots = folder / "roots"
        roots.mkdir(parents=True)
        for file, root in zip(("director-root.json", "image-root.json"), shim.signing.roots(), strict=True):
            (roots / file).write_bytes(root)
        self._verifier = Verifier(folder, "home", name, roots)
        self.client.subscribe(self.topic("desired"), 1)

    def topic(self, kind):
        return topics.of_device("home", self.name, kind)

    def desired(self):
        """The newest desired state, verified as a device verifies it."""
        documents = self.client.of(self.topic("desired"))
        return self._verifier.believe(documents[-1], 0) if documents else None

    def fetch(self, digest, until):
        topic = topics.chunk("home", digest)
        self.client.subscribe(topic)
        until(lambda: any(self.client.of(topic)), f"chunk {digest[:8]}")
        return next(filter(None, self.client.of(topic)))

    def reports(self, generation, state="COMMITTED"):
        told = samples.report(generation=generation)
        update = {**told["update"], "generation": generation, "state": state}
        self.client.publish(self.topic("reported"), encode({**told, "update": update}), True)


@pytest.fixture
def provision(connected_shim, mosquitto, connect, tmp_path):
    return lambda name="pi": Device(connected_shim, connect, mosquitto.port, name, tmp_path / "devices" / name)


@pytest.fixture
def deploy(connected_shim):
    def put(data, device="pi", settings=None):
        return connected_shim.fleet.deploy(device, connected_shim.registry.add(data), settings, Trial())

    return put


@pytest.fixture
def seeded(connected_shim):
    def get():
        with connected_shim.database.read() as session:
            return set(session.scalars(select(SeededRow.sha256)))

    return get


def test_a_deployment_arrives_signed_and_its_function_can_be_fetched(provision, deploy, make_function, until, tmp_path):
    pi = provision()
    data = make_function()
    assert deploy(data, settings={"threshold": 7}) == 1
    until(pi.desired)
    deployment = pi.desired()
    assert (deployment.generation, deployment.config) == (1, {"night-light": {"threshold": 7}})
    assert pi.fetch(deployment.functions["night-light"].digest, until) == data
    archive.unpack(data, tmp_path / "installed")


def test_a_model_of_many_chunks_can_be_fetched_by_its_index(provision, deploy, make_model, until):
    pi = provision()
    data = make_model(size=40 * CHUNK_SIZE)
    deploy(data)
    until(pi.desired)
    ref = pi.desired().models["presence"]
    parts = chunks.decode_index(pi.fetch(ref.index, until), ref.length)
    assert b"".join(pi.fetch(part, until) for part in parts) == data


def test_desired_state_of_another_device_is_not_believed(provision, deploy, make_function, until):
    pi, tv = provision("pi"), provision("tv")
    deploy(make_function(), "tv")
    until(tv.desired)
    pi.client.received.append((pi.topic("desired"), tv.client.of(tv.topic("desired"))[-1]))
    with pytest.raises(UntrustedError):
        pi.desired()


def test_a_device_gets_chunks_that_it_asks_for_again(provision, deploy, make_function, until, connected_shim):
    pi = provision()
    data = make_function()
    deploy(data)
    until(pi.desired)
    topic = topics.chunk("home", chunks.digest(data))
    pi.fetch(chunks.digest(data), until)
    pi.client.publish(pi.topic("want"), encode_want([chunks.digest(data)]))
    until(lambda: pi.client.of(topic) == [data, data])


def test_device_cannot_make_the_shim_send_what_it_does_not_run(
    provision, deploy, make_function, until, connected_shim, seeded
):
    pi = provision()
    provision("tv")
    unused = connected_shim.registry.add(make_function("secret"))
    deploy(make_function())
    pi.client.publish(pi.topic("want"), encode_want([unused.sha256, "0" * 64]))
    generation = deploy(make_function(code="# 2"))
    until(lambda: pi.desired() and pi.desired().generation == generation)
    assert unused.sha256 not in seeded()


def test_chunks_that_nobody_needs_any_more_are_removed_from_the_broker(
    connected_shim, provision, deploy, make_function, until, seeded
):
    pi, _ = provision("pi"), provision("tv")
    old, shared, new = (make_function(code=f"# {i}") for i in range(3))
    deploy(old)
    deploy(shared, "tv")
    deploy(shared)
    deploy(new)
    patches = connected_shim.fleet.deployment("pi").functions["night-light"].patches
    assert {patch.base for patch in patches} == {chunks.digest(old), chunks.digest(shared)}
    until(lambda: seeded() == {chunks.digest(shared), chunks.digest(new), *(patch.digest for patch in patches)})
    pi.client.subscribe(topics.chunk("home", chunks.digest(old)))
    assert pi.fetch(chunks.digest(new), until) == new
    assert not any(pi.client.of(topics.chunk("home", chunks.digest(old))))


def test_a_device_is_told_of_the_patches_that_it_may_use_and_finds_them_on_the_broker(
    provision, deploy, make_function, until
):
    pi = provision()
    first, never, last = (make_function(code=f"# {i}") for i in range(3))
    deploy(first)
    provision("tv")
    deploy(never, "tv")
    deploy(last)
    until(lambda: (told := pi.desired()) and told.generation == 2)
    (patch,) = pi.desired().functions["night-light"].patches
    assert patch.base == chunks.digest(first)
    assert patching.apply(pi.fetch(patch.digest, until), first, len(last)) == last


def test_broker_that_lost_everything_is_filled_again(provision, deploy, make_model, until, mosquitto):
    pi = provision()
    data = make_model(size=3 * CHUNK_SIZE)
    deploy(data)
    until(pi.desired)
    ref = pi.desired().models["presence"]
    mosquitto.lose_everything()
    pi.client.received.clear()
    mosquitto.start()
    until(pi.client.connected)
    pi.client.subscribe(pi.topic("desired"), 1)
    until(pi.desired)
    for digest in (ref.index, *chunks.decode_index(pi.fetch(ref.index, until), ref.length)):
        assert chunks.digest(pi.fetch(digest, until)) == digest


def test_deployment_made_while_the_broker_is_away_arrives_afterwards(
    provision, deploy, make_function, until, mosquitto
):
    pi = provision()
    mosquitto.kill()
    until(lambda: not pi.client.connected())
    deploy(make_function())
    mosquitto.start()
    until(pi.client.connected)
    pi.client.subscribe(pi.topic("desired"), 1)
    until(pi.desired)
    assert pi.desired().generation == 1


def test_a_restarted_shim_needs_nothing_but_its_folder(provision, deploy, make_function, until, mosquitto):
    pi = provision()
    deploy(make_function())
    until(pi.desired)
    seen = len(pi.client.of(pi.topic("desired")))
    again = Shim(Config(mosquitto.state, 0, "127.0.0.1", mosquitto.port))
    again.start()
    try:
        # The second session takes the place of the first, as after a restart, and signs anew.
        until(lambda: len(pi.client.of(pi.topic("desired"))) > seen)
        assert pi.desired().generation == 1
        assert pi.client.connected()
    finally:
        again.close()


def test_records_are_acknowledged_and_kept(provision, connected_shim, until):
    pi = provision()
    pi.client.subscribe(pi.topic("ack"))
    batch = Batch("1-0123abcd", [samples.log(n) for n in range(100)])
    pi.client.publish(topics.up("home", "pi", "telemetry"), batch.encode(), qos=0)
    until(lambda: pi.client.of(pi.topic("ack")))
    assert json.loads(pi.client.of(pi.topic("ack"))[0]) == {"stream": "telemetry", "boot": "1-0123abcd", "seq": 99}


def test_presence_and_reports_are_shown(provision, connected_shim, until):
    pi = provision()

    def view():
        return connected_shim.fleet.view("pi", connected_shim.link.listening)

    pi.client.publish(pi.topic("presence"), Presence(True, 1).encode(), True)
    pi.reports(0, "IDLE")
    until(lambda: view()["online"] and view()["reported"])
    pi.client.publish(pi.topic("presence"), Presence(False, 1).encode(), True)
    until(lambda: not view()["online"])
    assert view()["last_seen"] is not None


def test_a_rollback_returns_to_what_last_proved_itself(provision, deploy, make_function, connected_shim, until):
    pi = provision()
    fleet = connected_shim.fleet
    good, bad = make_function(code="# good"), make_function(code="# bad")
    deploy(good)
    with pytest.raises(RejectedError, match="nothing to roll pi back to"):
        fleet.rollback("pi")
    pi.reports(1)
    deploy(bad)
    until(lambda: fleet.view("pi", None)["reported"])
    pi.reports(1, "IDLE")
    assert fleet.rollback("pi") == 3
    until(lambda: pi.desired() and pi.desired().generation == 3)
    assert pi.desired().functions["night-light"].digest == chunks.digest(good)
    assert pi.fetch(chunks.digest(good), until) == good


def answering(pi, make_reply):
    """Answer each call that arrives with what `make_reply(call)` gives, until told to stop."""
    pi.client.subscribe(topics.calls_filter("home", "pi"), 1)
    stop = threading.Event()

    def run():
        answered = 0
        while not stop.wait(0.01):
            calls = [call(p) for t, p in list(pi.client.received) if t.startswith("lamplight/1/home/d/pi/call/")]
            for each in calls[answered:]:
                for topic, payload in make_reply(each):
                    pi.client.publish(topic, payload)
            answered = len(calls)

    thread = threading.Thread(target=run)
    thread.start()
    return lambda: (stop.set(), thread.join())


def reply(made: Call, result, error="", device="pi", function="lamp", id=None):
    return topics.reply("home", device, function), Reply(id or made.id, result, error).encode()


@pytest.fixture
def call_lamp(connected_shim):
    return lambda data, timeout=20: asyncio.run(connected_shim.calls.call("pi", "lamp", data, timeout))


def test_a_call_gets_its_own_reply(provision, call_lamp):
    def answer(made):
        # Another function's reply, another call's, and garbage come first.
        yield reply(made, "wrong", function="fan")
        yield reply(made, "wrong", id="0" * 32)
        yield topics.reply("home", "pi", "lamp"), b"garbage"
        yield reply(made, {"doubled": made.data["n"] * 2})
        yield reply(made, "too late")

    stop = answering(provision(), answer)
    try:
        assert call_lamp({"n": 4}) == {"doubled": 8}
    finally:
        stop()


def test_a_handlers_error_is_told(provision, call_lamp):
    stop = answering(provision(), lambda made: [reply(made, None, "ZeroDivisionError: division by zero")])
    try:
        with pytest.raises(RejectedError, match="division by zero"):
            call_lamp(1)
    finally:
        stop()


def test_a_call_that_nobody_answers_ends(provision, call_lamp):
    provision()
    with pytest.raises(OfflineError, match="did not answer"):
        call_lamp(1, timeout=0.2)


def test_everything_is_signed_anew_in_time_however_busy_the_shim_is(
    mosquitto, connect, make_function, until, tmp_path, monkeypatch
):
    monkeypatch.setattr(publisher, "_REFRESH", 0.5)
    the = Shim(Config(mosquitto.state, 0, "127.0.0.1", mosquitto.port))
    the.start()
    until(lambda: the.link.connected, "the shim's connection")
    pi = Device(the, connect, mosquitto.port, "pi", tmp_path / "device")
    the.fleet.deploy("pi", the.registry.add(make_function()), None, Trial())
    until(pi.desired)

    def signed_again():
        # A device that asks for chunks all the time, far more often than everything is due.
        the.ingest.receive(Message.of(pi.topic("want"), encode_want([]), False))
        return len(set(pi.client.of(pi.topic("desired")))) > 2

    until(signed_again, "the desired state, signed anew")
    the.close()


def test_a_board_that_may_only_ask_does_not_end_the_shims_connection_by_taking_its_name(
    provision, connected_shim, connect, mosquitto, until
):
    since = connected_shim.link.listening
    password = broker.enrol_password(mosquitto.state)
    connect(mosquitto.port, topics.ENROL_USER, password, id="home-shim")
    pi = provision()
    pi.reports(3)
    until(lambda: connected_shim.fleet.view("pi", since)["reported"])
    assert connected_shim.link.listening == since
