"""An image without cloud-init: its card installs by `firstrun.sh`; the board is upgraded over SSH, and left as it was.

The tests share one board, and go on where the one before ended.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.base import medium, older, recipe
from tests.board.board import KIND, NAME, PATIENCE, Board
from tests.support import until

pytestmark = pytest.mark.board


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    """Off, with its card in it."""
    with tempfile.TemporaryDirectory(prefix="lamplight-older-") as folder:
        base = older.image(Path(folder) / "base.img")
        with Board(Path(folder), base) as made:
            yield made


@pytest.fixture(scope="module")
def ssh(board: Board) -> list[str]:
    """What leads `flash.py` to the board, where its owner lets root in."""
    public = Path(f"{board.ssh_key}.pub").read_text().strip()
    shell = board.emulator.shell
    shell.run(f"install -d -m 700 /root/.ssh; echo '{public}' >/root/.ssh/authorized_keys")
    shell.run("ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh")
    config = board.ssh_key.with_name("ssh_config")
    config.write_text(
        f"Host board\n  HostName 127.0.0.1\n  Port {board.ssh_port}\n  User root\n  IdentityFile {board.ssh_key}\n"
        "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    return ["board", "-F", str(config)]


def test_the_script_installs_it_once_and_starts_the_board_again(board: Board) -> None:
    assert "systemd.run=" in medium.read(board.card, "cmdline.txt").decode()
    board.power_on()
    # The emulated board cannot: that is the watchdog's work.
    until(lambda: "reboot: Restarting system" in board.emulator.console, "it starts again by itself", PATIENCE)
    board.emulator.power_off()
    board.power_on()
    board.comes_online()
    shell = board.emulator.shell
    assert "systemd.run=" not in shell.run("cat /boot/firmware/cmdline.txt")
    assert "firstrun.sh" not in shell.run("ls /boot/firmware")
    assert shell.run("cat /etc/hostname") == NAME
    assert board.home.device(NAME)["reported"]["sensors"] == {"light": {"ok": True, "error": ""}}


def test_an_upgrade_over_ssh_keeps_who_it_is_and_what_it_runs(board: Board, ssh: list[str], tmp_path: Path) -> None:
    board.home.run("new", "night-light", str(tmp_path / "lamp"))
    board.home.run("deploy", str(tmp_path / "lamp"), "--device", NAME, "--timeout", "600")
    done = board.flash("ssh", *ssh)
    assert done == {"machine": "board", "device": NAME, "board": KIND, "upgraded": True}
    board.goes_offline()
    board.comes_online()
    for lux in (5.0, 320.0):
        board.sensor.lux = lux
        board.led_becomes(lux == 5.0)


def test_removing_it_leaves_the_board_as_it_was(board: Board, ssh: list[str]) -> None:
    assert board.flash("remove", *ssh, "--yes") == {"machine": "board", "device": NAME}
    shell = board.emulator.shell
    assert shell.run("find / -xdev -iname '*lamplight*' -not -path '/proc/*'") == ""
    assert shell.run("grep -l lamplight /etc/passwd /etc/group /etc/shadow /etc/fstab || true") == ""
    assert "umask" not in shell.run("cat /etc/fstab")
    assert shell.run("cat /boot/firmware/config.txt").strip() == recipe.BOOT_FILES["config.txt"].decode().strip()
    assert shell.run("pgrep -f device.launche[r] || true") == ""
