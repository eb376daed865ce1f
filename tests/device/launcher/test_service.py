"""What the service manager hears, on a socket such as systemd's."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.launcher.service import Service


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.setblocking(False)
        yield end


def heard(manager: socket.socket) -> list[str]:
    lines: list[str] = []
    try:
        while True:
            lines.append(manager.recv(4096).decode())
    except BlockingIOError:
        return lines


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(manager.getsockname()), "WATCHDOG_USEC": "3000000", **more}


def test_it_hears_of_the_start_of_life_and_of_the_end(manager: socket.socket) -> None:
    service = Service(environment(manager))
    service.ready()
    service.alive()
    service.status("two\nlines")
    service.stopping()
    assert heard(manager) == ["READY=1", "WATCHDOG=1", "STATUS=two lines", "STOPPING=1"]
    assert service.period == 1.0


def test_what_is_started_does_not_inherit_the_right_to_speak(manager: socket.socket) -> None:
    told = environment(manager, WATCHDOG_PID=str(os.getpid()), PATH="/bin")
    Service(told)
    assert told == {"PATH": "/bin"}


def test_a_watchdog_of_another_process_is_not_fed(manager: socket.socket) -> None:
    service = Service(environment(manager, WATCHDOG_PID="1"))
    service.alive()
    assert service.period is None and heard(manager) == []


@pytest.mark.parametrize("usec", ["", "0", "-1", "soon"])
def test_without_a_watchdog_none_is_fed(manager: socket.socket, usec: str) -> None:
    assert Service(environment(manager, WATCHDOG_USEC=usec)).period is None


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0lamplight-test-{os.getpid()}")
        end.settimeout(10)
        Service({"NOTIFY_SOCKET": f"@lamplight-test-{os.getpid()}"}).ready()
        assert end.recv(100) == b"READY=1"


def test_a_manager_that_is_gone_or_does_not_listen_stops_nobody(manager: socket.socket, tmp_path: Path) -> None:
    service = Service(environment(manager))
    for _ in range(10_000):
        service.alive()
    Service({"NOTIFY_SOCKET": str(tmp_path / "nothing")}).ready()
    Service({}).ready()
