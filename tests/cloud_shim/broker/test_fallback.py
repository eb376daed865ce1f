"""The whole shim with the fallback broker; what both brokers must do is in test_broker.py."""

import pytest

from cloud_shim.config import Config
from cloud_shim.fleet.deployments import Trial
from cloud_shim.shim import Shim
from device.protocol import chunks, topics
from device.protocol.chunks import CHUNK_SIZE
from device.protocol.messages import Batch

ROOT = "lamplight/1/home"


@pytest.fixture
def shim(fallback, until):
    the = Shim(Config(fallback.state, 0, "127.0.0.1", fallback.port))
    the.start()
    until(lambda: the.link.connected, "the shim's connection")
    yield the
    the.close()


@pytest.fixture
def pi(shim, fallback, connect):
    return connect(fallback.port, "pi", shim.members.provision("pi", "lamplight/simulated", None))


def fetch_all(pi, release, registry, until):
    parts = {topics.chunk("home", chunk.digest): chunk for chunk in registry.chunks({release.sha256})}
    for topic in parts:
        pi.subscribe(topic)
    until(lambda: all(pi.of(topic) for topic in parts))
    assert all(chunks.digest(pi.of(topic)[0]) == chunk.digest for topic, chunk in parts.items())


def test_deployments_and_records_pass_and_a_restart_is_made_good(fallback, shim, pi, make_model, until):
    release = shim.registry.add(make_model(size=5 * CHUNK_SIZE))
    shim.fleet.deploy("pi", release, None, Trial())
    pi.subscribe(f"{ROOT}/d/pi/desired", 1)
    until(lambda: pi.of(f"{ROOT}/d/pi/desired"))
    fetch_all(pi, release, shim.registry, until)

    fallback.stop()
    pi.received.clear()
    fallback.start()
    until(pi.connected)
    pi.subscribe(f"{ROOT}/d/pi/desired", 1)
    until(lambda: pi.of(f"{ROOT}/d/pi/desired"))
    fetch_all(pi, release, shim.registry, until)

    pi.subscribe(f"{ROOT}/d/pi/ack")
    batch = Batch("1-0123abcd", [{"seq": 1, "time": 0, "kind": "log"}])
    until(lambda: shim.link.connected)
    pi.publish(f"{ROOT}/d/pi/up/logs", batch.encode(), qos=0)
    until(lambda: pi.of(f"{ROOT}/d/pi/ack"))
