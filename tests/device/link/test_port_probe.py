"""Whether a port answers."""

import socket
from itertools import count

from cloud_shim.cli.up import ports
from device.link import port_probe
from device.link.port_probe import PortProbe
from tests.support import until


def test_a_port_that_answers_is_known_also_when_nothing_is_said_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = PortProbe("127.0.0.1", server.getsockname()[1], clock=lambda: 7.0)
        probe.start()
        until(lambda: probe.answered == 7.0, "it answered")
        probe.stop()


def test_a_port_that_answers_only_later_and_a_name_that_is_none(monkeypatch) -> None:
    monkeypatch.setattr(port_probe, "PERIOD", 0.01)
    port, ticks = ports.free(), count(1)
    nowhere = PortProbe("no..name", port, clock=lambda: next(ticks))
    late = PortProbe("127.0.0.1", port)
    for each in (nowhere, late):
        each.start()
    assert late.answered is None
    with socket.create_server(("127.0.0.1", port), backlog=64):
        until(lambda: late.answered is not None, "it answered")
    for each in (nowhere, late):
        each.stop()
    assert nowhere.answered is None
