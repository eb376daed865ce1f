"""A board reaches the broker over a network: by TLS, with what a card for it has on it, and nothing to overhear."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from device.errors import RejectedError
from flashing import identity
from flashing.identity import Broker
from tests.e2e.conftest import Fleet
from tests.sim.wire import Wire
from tests.support import until

DEVICE = "shelf-pi"
BOARD = "linux/x86-64"
THERE = Broker("localhost", 0)


@pytest.fixture(scope="module")
def open_fleet() -> Iterator[tuple[Fleet, Wire]]:
    """A fleet whose broker boards reach by TLS, and the network before it."""
    port = ports.free()
    with tempfile.TemporaryDirectory(prefix="lamplight-") as home:
        fleet = Fleet(Path(home) / "lamplight", "--listen", f"127.0.0.1:{port}", "--listen-name", "localhost")
        fleet.start()
        wire = Wire(port)
        yield fleet, wire
        wire.close()
        fleet.stop()


def test_a_card_has_what_reaches_the_broker_and_the_wire_shows_no_secret(
    open_fleet: tuple[Fleet, Wire], tmp_path: Path
) -> None:
    fleet, wire = open_fleet
    given = identity.from_shim(Client(fleet.url), DEVICE, "home", THERE, again=False)
    for name, data in given.files(BOARD, Broker("localhost", wire.port)).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data.replace(identity.STATE.encode(), str(tmp_path).encode()))
    with (tmp_path / "agent.toml").open("a") as file:
        file.write("[http]\nport = 0\n")
    command = [sys.executable, "-m", "device.launcher", "--config", str(tmp_path / "agent.toml")]
    agent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: DEVICE in [each["name"] for each in Client(fleet.url).devices()], f"{DEVICE} is let in")
        until(lambda: fleet.device(DEVICE)["online"], f"{DEVICE} is online")
        password = (tmp_path / "password").read_text().strip()
        function = tmp_path / "function"
        function.mkdir()
        (function / "function.toml").write_text('name = "whisper"\nhandler = "main:handler"\n')
        (function / "main.py").write_text("def handler(event, context):\n    return 'between us'\n")
        fleet.run("deploy", str(function), "--device", DEVICE, "--trial-events", "0")
        assert fleet.json("call", f"{DEVICE}/whisper") == "between us"
    finally:
        agent.terminate()
        agent.wait(60)
    assert len(wire.seen) > 10_000
    for secret in (password, given.token, given.asking, DEVICE, "whisper", "between us", "lamplight/1"):
        assert secret.encode() not in wire.seen


def test_a_card_for_a_name_that_the_brokers_certificate_is_not_for_is_not_made(open_fleet: tuple[Fleet, Wire]) -> None:
    with pytest.raises(RejectedError, match="would not believe") as refused:
        identity.from_shim(Client(open_fleet[0].url), "hall-pi", "home", Broker("lamp.lan", 0), again=False)
    assert "127.0.0.1" in str(refused.value)
    assert "--listen-name lamp.lan" in str(refused.value)


def test_a_card_for_a_broker_that_no_board_can_reach_is_not_made(fleet: Fleet) -> None:
    with pytest.raises(RejectedError, match="could not reach the broker") as refused:
        identity.from_shim(Client(fleet.url), DEVICE, "home", THERE, again=False)
    assert "--listen" in str(refused.value)
    assert DEVICE not in [each["name"] for each in Client(fleet.url).devices()]
