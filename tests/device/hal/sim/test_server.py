"""The simulated hardware as a process: its socket, its clients, and clients that mean harm."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys

import pytest

from device.hal.sim import server
from device.hal.sim.link import Link


@pytest.fixture
def connect(simulation):
    with contextlib.ExitStack() as stack:

        def connect():
            client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.settimeout(30)
            client.connect(str(simulation.socket))
            return client

        yield connect


def start_second(path, *options):
    command = [sys.executable, "-m", "device.hal.sim", "--socket", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_only_this_user_may_connect(simulation):
    found = simulation.socket.stat()
    expected = (0o660, server.GROUP) if os.geteuid() == 0 else (0o600, found.st_gid)
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == expected


def test_it_says_in_one_line_that_it_is_ready_and_stops_on_sigterm_with_clients_connected(simulation, world, connect):
    connect()
    assert simulation.ready == f"simulated hardware ready at {simulation.socket}\n"
    simulation.process.terminate()
    assert simulation.process.wait(30) == 0
    assert simulation.process.stdout.read() == ""
    assert not simulation.socket.exists()


def test_a_socket_left_by_a_killed_process_is_replaced(simulation):
    simulation.process.send_signal(signal.SIGKILL)
    simulation.process.wait(30)
    simulation.process.stdout.close()
    assert simulation.socket.exists()
    simulation.start()
    assert "ready" in simulation.ready


def test_a_socket_that_is_served_is_left_to_its_process(simulation, world):
    second = start_second(simulation.socket)
    assert second.returncode == 2
    assert "another process serves" in second.stderr
    assert world.state()["covered"] is False


def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    second = start_second(path)
    assert second.returncode == 2
    assert "not a socket" in second.stderr
    assert path.read_text() == "data"


@pytest.mark.parametrize("name", ["x" * 200, "no/such/folder/hw.sock"])
def test_a_path_that_cannot_be_a_socket_is_refused_in_one_line(tmp_path, name):
    second = start_second(tmp_path / name)
    assert second.returncode == 2
    assert "cannot listen" in second.stderr
    assert second.stderr.count("\n") == 1


@pytest.mark.parametrize("noise", ["-0.1", "nan", "inf", "loud"])
def test_impossible_noise_is_refused(tmp_path, noise):
    second = start_second(tmp_path / "hw.sock", f"--noise={noise}")
    assert second.returncode == 2
    assert "--noise" in second.stderr


@pytest.mark.parametrize(
    "attack",
    [b"\x00\xff\xfe\n", b"{]\n", b"A" * 5_000_000, b"[" * 1_000_000 + b"\n", b'{"op": "state"', b"\n" * 10_000],
    ids=["binary", "broken json", "endless line", "deep nesting", "half a request", "empty lines"],
)
def test_a_hostile_client_disturbs_nobody(world, connect, attack):
    hostile = connect()
    with contextlib.suppress(ConnectionError, TimeoutError):
        hostile.settimeout(1)
        hostile.sendall(attack)
    assert world.state()["lux"] == 300.0
    hostile.close()
    assert world.set(lux=5)["lux"] == 5.0


def test_a_client_that_never_reads_its_answers_holds_up_nobody(world, connect):
    deaf = connect()
    deaf.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            deaf.send(b'{"op": "history", "pin": "led"}\n' * 100)
    assert world.set(lux=7)["lux"] == 7.0


def test_a_request_in_pieces_is_one_request(connect):
    client = connect()
    for piece in (b'{"op": ', b'"bus", "num', b'ber": 1}\n'):
        client.sendall(piece)
    assert json.loads(client.recv(1000)) == {"present": True}


def test_two_hundred_clients_at_once_are_answered(connect):
    clients = [connect() for _ in range(200)]
    for client in clients:
        client.sendall(b'{"op": "bus", "number": 7}\n')
    assert all(json.loads(client.recv(1000)) == {"present": False} for client in clients)


def test_a_line_is_free_again_when_its_owners_connection_drops(simulation, connect, until):
    owner = connect()
    owner.sendall(b'{"op": "request", "lines": [17]}\n')
    assert json.loads(owner.recv(1000)) == {}
    link = Link(simulation.socket)
    with pytest.raises(OSError, match="busy"):
        link.ask("request", lines=[17])
    owner.close()

    def take():
        with contextlib.suppress(OSError):
            return link.ask("request", lines=[17])

    assert until(take, lambda answer: answer is not None) == {}
    link.close()
