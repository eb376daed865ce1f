"""One run of `up` from start to end, with two small processes in the place of broker and shim."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from cloud_shim.cli.up import ports

# The real session, with stand-ins for the children: the first says its end, the second ignores SIGTERM.
UP = """
import sys
from pathlib import Path
from cloud_shim.cli import main as cli
from cloud_shim.cli.up.process import Process
from cloud_shim.cli.up import session

POLITE = "import signal,sys,time; signal.signal(15, lambda *_: sys.exit()); print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"

class StandIn:
    broker_note, url, boards = "", "http://127.0.0.1:1", None

    def __init__(self, state, port, mqtt_port, device, cancelled, http_port, boards):
        self._cancelled = cancelled
        self.children = [
            Process("polite", [sys.executable, "-c", POLITE], state.log("polite")),
            Process("stubborn", [sys.executable, "-c", STUBBORN], state.log("stubborn")),
        ]

    def start(self):
        for child in self.children:
            child.start()
            child.wait_ready(lambda: "ready" in child.last_lines() and not NEVER, 600, self._cancelled)

    def link(self):
        return self.url

    def stop(self):
        for child in reversed(self.children):
            child.stop(grace=0.2)

class NoLive:
    def __init__(self, *_): pass
    def start(self): pass

NEVER = sys.argv[1] == "never"
session.Home, session.Live = StandIn, NoLive
sys.exit(cli.run(["up", *sys.argv[2:]]))
"""


def until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def up(tmp_path):
    """Starts the script in a state folder of its own on free ports; ends it afterwards, and it its children."""
    started = []

    def start(*arguments: str, ready: str = "ready") -> subprocess.Popen[str]:
        chosen = ["--state", str(tmp_path / "home"), "--http-port", "0"]
        chosen += ["--port", str(ports.free()), "--mqtt-port", str(ports.free())]
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", UP, ready, *chosen, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for each in started:
        each.terminate()
        each.communicate(timeout=60)


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(each.split()[0]) for each in listed.splitlines() if each.split()[1] == str(pid)]


def alive(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.startswith("Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_is_no_failure(up, number):
    run = up()
    assert run.stdout.readline().startswith("Console: http://127.0.0.1:1")
    children = children_of(run.pid)
    assert len(children) == 2
    run.send_signal(number)
    assert run.wait(60) == 0
    assert not any(alive(pid) for pid in children)


def test_a_signal_during_the_start_stops_what_was_started(up, tmp_path):
    run = up(ready="never")
    until(lambda: children_of(run.pid), "the first child runs")
    children = children_of(run.pid)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 0
    assert not any(alive(pid) for pid in children)
    assert "Console" not in run.stdout.read()


def test_a_child_that_is_killed_is_started_again(up):
    run = up()
    run.stdout.readline()
    killed = children_of(run.pid)[0]
    os.kill(killed, signal.SIGKILL)
    assert "died (exit code -9) and is started again" in "".join(run.stderr.readline() for _ in range(2))
    until(lambda: len(children_of(run.pid)) == 2, "there are two again")


def test_a_killed_up_takes_its_children_along(up):
    run = up()
    run.stdout.readline()
    children = children_of(run.pid)
    run.kill()
    until(lambda: not all(alive(pid) for pid in children), "the one that heeds SIGTERM has ended")
    for stubborn in filter(alive, children):
        os.kill(stubborn, signal.SIGKILL)


def test_a_second_up_in_the_same_folder_is_refused_and_the_first_goes_on(up):
    first = up()
    first.stdout.readline()
    second = up()
    assert second.wait(60) == 1
    assert f"process {first.pid}) already runs" in second.stderr.read()
    assert first.poll() is None


def test_one_up_after_the_other_works(up):
    for _ in range(2):
        run = up()
        run.stdout.readline()
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == 0


@pytest.mark.parametrize("option", ["--port", "--mqtt-port", "--http-port"])
def test_a_port_in_use_is_one_line_and_nothing_is_started(up, option, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = up(option, str(port))
        assert run.wait(60) == 1
    err = run.stderr.read()
    assert err.startswith(f"error: Port {port} is in use")
    assert err.count("\n") == 1
    assert option in err
    assert not (tmp_path / "home" / "logs").exists()


def test_without_a_device_nobody_needs_its_http_port(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = up("--no-device", "--http-port", str(taken.getsockname()[1]))
        assert run.stdout.readline().startswith("Console: ")


@pytest.mark.parametrize("name", ["Desk Pi", "../x", ""])
def test_what_is_no_device_name_is_wrong_usage(up, name):
    run = up("--device", name)
    assert run.wait(60) == 2
