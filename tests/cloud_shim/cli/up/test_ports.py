"""Ports that are free, taken, and just left."""

import os
import socket
import sys

import pytest

from cloud_shim.cli.up import ports
from device.errors import LamplightError, UsageError


def test_a_free_port_passes_and_is_not_open():
    port = ports.free()
    ports.ensure_free(port, "--port")
    assert not ports.is_open(port)


def test_a_port_in_use_is_named_with_the_option_that_changes_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert ports.is_open(port)
        with pytest.raises(LamplightError) as caught:
            ports.ensure_free(port, "--mqtt-port")
    assert str(port) in caught.value.what
    assert "--mqtt-port" in caught.value.remedy
    if sys.platform == "linux":
        assert f"process {os.getpid()} " in caught.value.why


def test_two_options_cannot_have_one_port_but_any_free_one():
    port = ports.free()
    with pytest.raises(UsageError) as caught:
        ports.ensure_all_free({"--port": port, "--mqtt-port": port})
    assert "--port and by --mqtt-port" in caught.value.why
    ports.ensure_all_free({"--port": 0, "--mqtt-port": 0, "--http-port": port})


def test_a_port_that_all_addresses_listen_on_is_in_use():
    with socket.create_server(("", 0)) as taken, pytest.raises(LamplightError):
        ports.ensure_free(taken.getsockname()[1], "--port")


def test_a_port_whose_connections_have_just_closed_is_free():
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        connection, _ = server.accept()
        connection.close()  # the server's side closes first, and waits in TIME_WAIT
    server.close()
    ports.ensure_free(port, "--port")
