"""The session by TLS, against a real mosquitto with a certificate of the fleet's own authority."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_shim.broker import certificates
from cloud_shim.cli.up import ports
from device.config import BrokerConfig
from device.doctor.broker import Broker
from device.enrol.passwords import Passwords
from device.link import backoff
from device.link.session import Session
from tests.sim.wire import Wire
from tests.support import until


@pytest.fixture
def config(tmp_path: Path) -> Iterator[BrokerConfig]:
    """How to reach a broker that speaks TLS only."""
    files, port = certificates.ensure(tmp_path, ["localhost"]), ports.free()
    lines = [f"listener {port} 127.0.0.1", f"certfile {files.certificate}", f"keyfile {files.key}", "user root"]
    (tmp_path / "mosquitto.conf").write_text("\n".join([*lines, "allow_anonymous true", ""]))
    (tmp_path / "password").write_text("secret\n")
    log = tmp_path / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(["mosquitto", "-v", "-c", str(tmp_path / "mosquitto.conf")], stderr=said)
    until(lambda: "running" in log.read_text(), "mosquitto listens")
    yield BrokerConfig("localhost", port, "desk-pi", tmp_path / "password", True, files.authority)
    process.terminate()
    process.wait()


def connects(config: BrokerConfig) -> bool:
    """Whether a session connects before its second attempt has failed."""
    session, failed = Session(config, "home", "desk-pi", boots=1, login=Passwords(config.password_file)), 0

    def again(tries: backoff.Tries) -> float:
        nonlocal failed
        failed = tries.failed
        return 0.01

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backoff, "pause", again)
        session.start()
        until(lambda: session.connected or failed > 1, "it is connected, or was refused twice")
        connected = session.connected
        session.stop()
    return connected


def test_it_connects_to_the_broker_of_its_fleet(config: BrokerConfig) -> None:
    assert connects(config)


@pytest.mark.parametrize(
    "attack", ["another name", "another authority", "no authority file", "the system's authorities"]
)
def test_a_broker_that_is_not_the_fleets_gets_no_password(config: BrokerConfig, attack: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    theirs = certificates.ensure(other, ["localhost"]).authority
    attacked = {
        "another name": replace(config, host="127.0.0.1"),
        "another authority": replace(config, ca_file=theirs),
        "no authority file": replace(config, ca_file=tmp_path / "gone.pem"),
        "the system's authorities": replace(config, ca_file=None),
    }[attack]
    assert not connects(attacked)
    # The connection ended before the broker saw a CONNECT, which would have had the password in it.
    assert "New client connected" not in (tmp_path / "log").read_text()


def steps(config: BrokerConfig) -> dict[str, str]:
    broker = Broker(config, "test")
    return {name: getattr(broker, name)().status for name in ("resolves", "reachable", "secured", "accepts")}


def test_the_doctor_goes_the_same_way(config: BrokerConfig) -> None:
    assert steps(config) == {"resolves": "ok", "reachable": "ok", "secured": "ok", "accepts": "ok"}


def test_the_doctor_says_that_the_certificate_is_for_another_name(config: BrokerConfig) -> None:
    found = steps(replace(config, host="127.0.0.1"))
    assert (found["secured"], found["accepts"]) == ("fail", "skip")


def test_threads_that_publish_at_once_never_tear_a_record(config: BrokerConfig) -> None:
    wire = Wire(config.port)
    session = Session(
        replace(config, port=wire.port), "home", "desk-pi", boots=1, login=Passwords(config.password_file)
    )
    session.start()
    until(lambda: session.connected, "the session is connected")
    text = b"between us " * 100

    def publish() -> None:
        for _ in range(3000):
            assert session.publish("lamplight/1/home/t/talk", text)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(publish) for _ in range(4)]:
            done.result(120)
    until(lambda: len(wire.seen) > 12_000 * len(text), "all of it went over the wire")
    assert session.connected
    session.stop()
    wire.close()
    assert b"between us" not in wire.seen
