"""A board that was set up without us: `flash.py ssh` makes it a device, `flash.py remove` undoes it.

Its card is the published image with Raspberry Pi Imager's settings. The tests share one boot, and go on where the one
before ended. That a second `flash.py ssh` changes nothing is shown in tests/flashing, on a machine whose network is no
emulated USB: 35 MB take three minutes there.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flashing import bootfs
from tests.board.base import build
from tests.board.board import HOST, KIND, NAME, PATIENCE, Board
from tests.support import until

pytestmark = pytest.mark.board

# All that is on the card and is no log, cache, or count of something; with what is in the files that decide.
# Debian's packages bring Python's own modules compiled, and the base image's scripts were not run.
LISTING = r"""
cd /
{
    find / /boot/firmware -xdev \( -path /var/log -o -path /var/cache -o -path /var/lib/systemd -o -path /tmp \
        -o -path /var/tmp -o -path /root -o -name __pycache__ \) -prune -o ! -path '/etc/*-' -printf '%M %u:%g %p %l\n'
    find /etc /boot/firmware -type f ! -name '*-' -exec sha256sum {} +
} | LC_ALL=C sort
"""


class Plain(Board):
    """A board with the image's own system, and a user `pi` who logs in with the key and may become root."""

    def _make_card(self) -> None:
        subprocess.run(["cp", "--sparse=always", build.image(), self.card], check=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.ssh_key], check=True)
        key = Path(f"{self.ssh_key}.pub").read_text().strip()
        user = {"name": "pi", "shell": "/bin/bash", "sudo": "ALL=(ALL) NOPASSWD:ALL", "ssh_authorized_keys": [key]}
        # As with Raspberry Pi OS, the server is there and does not run before somebody wants it.
        settings = {"users": [user], "runcmd": [["systemctl", "enable", "--now", "ssh"]]}
        cable = {"network": {"version": 2, "ethernets": {"eth0": {"dhcp4": True, "optional": True}}}}
        with bootfs.opened(self.card) as files:
            files.write("user-data", b"#cloud-config\n" + json.dumps(settings).encode())
            files.write("network-config", json.dumps(cable).encode())

    def address(self) -> tuple[str, ...]:
        """Where `ssh` and `flash.py` find it."""
        config = self.ssh_key.with_name("ssh_config")
        config.write_text(
            f"Host board\n  HostName 127.0.0.1\n  Port {self.ssh_port}\n  User pi\n  IdentityFile {self.ssh_key}\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n  ConnectTimeout 60\n"
        )
        return ("board", "-F", str(config))


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    """Booted and set up, with a listing of what is on its card in /run/before."""
    with tempfile.TemporaryDirectory(prefix="lamplight-ssh-") as folder, Plain(Path(folder)) as made:
        made.power_on()
        # cloud-init's own sign that it has ended; until SSH answers, nobody is there to be asked.
        ready = ["ssh", *made.address(), "test -e /run/cloud-init/result.json"]
        until(lambda: subprocess.run(ready, capture_output=True).returncode == 0, "it is set up", PATIENCE)
        made.emulator.shell.run(f"cat >/run/listing <<'END'\n{LISTING}\nEND\nsh /run/listing >/run/before")
        yield made


def test_a_board_of_its_own_becomes_a_device_that_runs_functions(plain: Plain, tmp_path: Path) -> None:
    done = plain.flash("ssh", *plain.address(), "--name", NAME, "--broker", f"{HOST}:{plain.home.wire.port}")
    assert done == {"machine": "board", "device": NAME, "board": KIND, "upgraded": False}
    plain.comes_online()
    plain.home.run("new", "night-light", str(tmp_path / "lamp"))
    plain.home.run("deploy", str(tmp_path / "lamp"), "--device", NAME, "--timeout", "600")
    follows(plain)


def test_removing_it_leaves_the_board_as_it_was(plain: Plain) -> None:
    assert plain.flash("remove", *plain.address(), "--yes") == {"machine": "board", "device": NAME}
    shell = plain.emulator.shell
    assert shell.run("sh /run/listing >/run/after; LC_ALL=C comm -3 /run/before /run/after") == ""
    assert shell.run("pgrep -f device.launche[r] || true") == ""


def follows(plain: Plain) -> None:
    """The lamp is as the light is, both ways."""
    for lux in (5.0, 320.0, 5.0, 320.0):
        plain.sensor.lux = lux
        plain.led_becomes(lux == 5.0)
