"""`lamplight up`: what is in its way, and what it leaves behind."""

import re
import socket
import subprocess
from pathlib import Path

from cloud_shim.cli.up import ports
from tests.e2e.conftest import LAMPLIGHT, Fleet
from tests.support import until


def test_ctrl_c_leaves_nothing_running_and_a_second_run_works(tmp_path: Path) -> None:
    home = Fleet(tmp_path / "lamplight")
    home.start()
    assert home.processes()
    home.stop()
    until(lambda: not home.processes(), "every process is gone")
    home.start()
    home.stop()
    until(lambda: not home.processes(), "every process is gone again")


def free_but(port: int = 0) -> tuple[str, ...]:
    """Options with ports that nobody has, but for the console's where one is given."""
    return ("--port", str(port or ports.free()), "--mqtt-port", str(ports.free()), "--http-port", "0")


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*LAMPLIGHT, "up", "--state", str(tmp_path / "s"), *free_but(port=port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert re.search(rf"\b{port}\b", errors[0])


def test_a_second_up_in_the_same_folder_is_refused(fleet: Fleet) -> None:
    done = subprocess.run(
        [*LAMPLIGHT, "up", "--state", str(fleet.state), *free_but()],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "already" in done.stderr
    assert fleet.json("devices")["devices"]
