"""install.sh, run as the first boot runs it, over a folder that stands for the board's root."""

import hashlib
import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from flashing import agent

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHIVE = f"agent-{PYTHON}.tar.gz"
# These change the system; what they were told is written down. `install` may not give a file to another user here.
CALLED = ("useradd", "userdel", "usermod", "gpasswd", "modprobe")
INSTALL = """#!/bin/sh
for each; do
    shift
    case "$each" in -o|-g) skip=1;; *) [ -n "${skip:-}" ] || set -- "$@" "$each"; skip="";; esac
done
exec /usr/bin/install "$@"
"""
# Stands before each command of the script: at the one whose number is $CUT it ends the script as a power cut does.
CUT = """#!/bin/sh
[ -n "${CUT:-}" ] || exec %(tool)s "$@"
count=$(($(cat %(count)s) + 1))
echo $count >%(count)s
[ $count != "$CUT" ] || { kill -9 $(cat %(script)s); exit 137; }
exec %(tool)s "$@"
"""
CUTTABLE = ("grep", "id", "install", "mkdir", "mv", "python3", "rm", "sed", "sha256sum", "sync", "systemctl", "touch")


class Board:
    """The boot partition and the root of a board, and the script on it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.boot, self._bin = folder / "root", folder / "boot" / "lamplight", folder / "bin"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc" / "fstab").write_text("PARTUUID=1-01 /boot/firmware vfat defaults 0 2\n")
        (self.boot / "roots").mkdir(parents=True)
        for name, data in agent.own_files().items():
            (self.boot / name).write_bytes(data)
        self.log = folder / "log"
        self._script = folder / "script"
        self._tools()
        self.card("password-1")

    def _tools(self) -> None:
        self._bin.mkdir()
        for name in CALLED:
            self._tool(name, f'#!/bin/sh\necho {name} "$@" >>{self.log}\n')
        # Not beside the others: these run after CUT.
        real = self._bin / "real"
        real.mkdir()
        self._tool("real/install", INSTALL)
        (real / "python3").symlink_to(sys.executable)
        self._tool("real/systemctl", f'#!/bin/sh\necho systemctl "$@" >>{self.log}\n')
        for name in CUTTABLE:
            tool = real / name if (real / name).exists() else shutil.which(name)
            self._tool(name, CUT % {"tool": tool, "count": self.log.with_name("count"), "script": self._script})

    def _tool(self, name: str, text: str) -> None:
        (self._bin / name).write_text(text)
        (self._bin / name).chmod(0o755)

    def card(self, password: str, code: bytes = b"first") -> None:
        """What a flashed card brings."""
        (self.boot / "agent.toml").write_text("config")
        (self.boot / "password").write_text(password)
        for name in ("director", "image"):
            (self.boot / "roots" / f"{name}-root.json").write_text("{}")
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:xz") as archive:
            entry = tarfile.TarInfo("device/code.py")
            entry.size = len(code)
            archive.addfile(entry, io.BytesIO(code))
        (self.boot / ARCHIVE).write_bytes(made.getvalue())
        digest = hashlib.sha256(made.getvalue()).hexdigest()
        (self.boot / "SHA256SUMS").write_text(f"{digest}  {ARCHIVE}\n")

    def install(self, code: int = 0) -> str:
        done = self._run_install()
        assert (done.returncode == 0) is (code == 0), done.stderr
        return done.stderr

    def install_until(self, command: int) -> bool:
        """Install, and have the power cut before this command of the script, from 1; False when it has fewer."""
        self.log.with_name("count").write_text("0")
        return self._run_install({"CUT": str(command)}).returncode == -signal.SIGKILL

    def _run_install(self, more: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": f"{self._bin}:{os.environ['PATH']}", **(more or {})}
        script = 'echo $$ >"$0"; exec sh "$@"'
        command = ["sh", "-c", script, str(self._script), str(self.boot / "install.sh"), str(self.root)]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    def remove(self) -> None:
        """As `flash.py remove` does it."""
        environment = {"PATH": f"{self._bin}:{os.environ['PATH']}"}
        subprocess.run(["sh", str(self.boot / "remove.sh"), str(self.root)], env=environment, check=True)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_the_agent_its_identity_and_its_service_are_in_their_places(board: Board) -> None:
    board.install()
    assert board.read("opt/lamplight/device/code.py") == "first"
    assert board.read("var/lib/lamplight/password") == "password-1"
    assert "device.launcher --config /var/lib/lamplight/agent.toml" in board.read(
        "etc/systemd/system/lamplight.service"
    )
    assert board.read("etc/modules-load.d/lamplight.conf") == "i2c-dev\n"
    assert "systemctl enable lamplight.service lamplight-users.socket" in board.log.read_text()
    for name in agent.UNITS:
        assert board.read(f"etc/systemd/system/{name}") == agent.own_files()[name].decode()


def test_the_password_is_the_agents_only_and_no_longer_on_the_card(board: Board) -> None:
    board.install()
    state = board.root / "var/lib/lamplight"
    assert stat.S_IMODE((state / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert not (board.boot / "password").exists()
    assert "defaults,umask=0077" in board.read("etc/fstab")


def test_a_board_that_is_to_ask_for_a_password_has_none_and_its_token_leaves_the_card(board: Board) -> None:
    board.install()
    (board.root / "var/lib/lamplight/password.next").write_text("old\n")
    for name in ("enrol", "token"):
        (board.boot / name).write_text(name)
    board.install()
    state = board.root / "var/lib/lamplight"
    assert not list(state.glob("password*"))
    for name in ("enrol", "token"):
        assert (state / name).read_text() == name
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600
        assert not (board.boot / name).exists()


def test_a_second_run_changes_nothing(board: Board) -> None:
    board.install()
    before = {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()}
    board.install()
    assert {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()} == before


def test_a_newer_card_replaces_the_agent(board: Board) -> None:
    board.install()
    board.card("password-2", b"second")
    (board.root / "var/lib/lamplight/password.next").write_text("offered before\n")
    board.install()
    assert not (board.root / "var/lib/lamplight/password.next").exists()
    assert board.read("opt/lamplight/device/code.py") == "second"
    assert board.read("var/lib/lamplight/password") == "password-2"


def test_a_damaged_card_leaves_the_agent_that_is_there(board: Board) -> None:
    board.install()
    board.card("password-2", b"second")
    (board.boot / ARCHIVE).write_bytes(b"damaged")
    assert "the card is damaged" in board.install(code=1)
    assert board.read("opt/lamplight/device/code.py") == "first"
    assert board.read("var/lib/lamplight/password") == "password-1"


def test_a_power_cut_before_any_command_leaves_the_agent_that_was_there_or_the_new_one(board: Board) -> None:
    board.install()
    before, command = b"first", 1
    while True:
        after = b"code %d" % command
        board.card(f"password-{command}", after)
        if not board.install_until(command):
            break
        assert board.read("opt/lamplight/device/code.py").encode() in (before, after), command
        assert (board.root / "opt/lamplight/remove.sh").exists()
        board.install()
        assert board.read("opt/lamplight/device/code.py").encode() == after
        assert board.read("var/lib/lamplight/password") == f"password-{command}"
        assert [each.name for each in (board.root / "opt").iterdir()] == ["lamplight"]
        before, command = after, command + 1
    print(f"{command - 1} power cuts tried")
    assert command > 20


def test_a_first_boot_that_is_cut_is_ended_by_the_next(tmp_path: Path) -> None:
    cut, command = True, 1
    while cut:
        board = Board(tmp_path / str(command))
        cut = board.install_until(command)
        # As the card has the next boot do.
        if not (board.root / "etc/lamplight/installed").exists():
            board.install()
        assert board.read("opt/lamplight/device/code.py") == "first"
        assert board.read("var/lib/lamplight/password") == "password-1"
        assert not (board.boot / "password").exists()
        assert "systemctl enable lamplight.service" in board.log.read_text()
        command += 1
    assert command > 20


def test_removed_the_board_is_as_it_was(board: Board) -> None:
    config = board.root / "boot" / "firmware" / "config.txt"
    config.parent.mkdir(parents=True)
    config.write_text("[all]\ndtparam=audio=on\n")
    before = {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()}
    board.install()
    assert "umask=0077" in board.read("etc/fstab") and "i2c_arm=on" in config.read_text()
    board.remove()
    assert {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()} == before
    assert "systemctl disable --now lamplight-users.socket" in board.log.read_text()
    # A system made of packages whose scripts were not run has no such folder.
    assert not (board.root / "opt").exists()
    board.remove()
    assert {path: path.read_bytes() for path in board.root.rglob("*") if path.is_file()} == before


def test_what_somebody_else_had_set_stays_when_it_is_removed(board: Board) -> None:
    fstab = board.root / "etc" / "fstab"
    fstab.write_text("PARTUUID=1-01 /boot/firmware vfat defaults,umask=0077 0 2\n")
    board.install()
    board.remove()
    assert fstab.read_text() == "PARTUUID=1-01 /boot/firmware vfat defaults,umask=0077 0 2\n"


def test_a_card_for_another_python_says_which_it_has(board: Board) -> None:
    (board.boot / ARCHIVE).rename(board.boot / "agent-3.99.tar.gz")
    told = board.install(code=1)
    assert f"no agent for Python {PYTHON}; it has: agent-3.99.tar.gz" in told
