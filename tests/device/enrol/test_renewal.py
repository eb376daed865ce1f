"""The next password, offered and taken: what the board does at each answer, and when an answer is lost."""

import getpass
import subprocess
from pathlib import Path

import pytest

from cloud_shim.broker import credentials
from cloud_shim.cli.up import ports
from device.config import BrokerConfig
from device.enrol.passwords import Passwords
from device.enrol.renewal import Renewal
from device.link.session import Session
from device.protocol import enrolment
from device.protocol.enrolment import ACCEPTED, KEPT, REFUSED, Answer, Ask
from tests.support import until


class Board:
    """A Renewal with a clock of the test's own; `sent` is what it offered."""

    def __init__(self, folder: Path) -> None:
        (folder / "password").write_text("first\n")
        self.now = 0.0
        self.sent: list[Ask] = []
        self.passwords = Passwords(folder / "password")
        self.renewal = Renewal("pi", "raspberry-pi/4b", self.passwords, self._send, lambda: self.now)

    def _send(self, payload: bytes) -> bool:
        self.sent.append(enrolment.ask(payload))
        return True


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_it_offers_the_same_password_at_each_connection_and_once_a_day(board: Board) -> None:
    board.renewal.connected()
    board.now += 86399
    board.renewal.look()
    assert len(board.sent) == 1
    board.now += 1
    board.renewal.look()
    board.renewal.look()
    assert len(board.sent) == 2
    assert {(each.name, each.hash) for each in board.sent} == {("pi", board.passwords.offered())}


def test_only_a_password_that_was_taken_is_tried(board: Board) -> None:
    board.renewal.connected()
    for state in (KEPT, REFUSED):
        board.renewal.answered(Answer(state))
        assert board.passwords.choose() == "first"
    board.renewal.answered(Answer(ACCEPTED))
    assert credentials.matches(board.passwords.choose(), board.sent[0].hash)


def test_a_disk_that_takes_no_more_ends_nothing(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Passwords) -> str:
        raise OSError("no space left on device")

    monkeypatch.setattr(Passwords, "offer", full)
    board.renewal.connected()
    assert board.sent == []


def test_a_board_that_never_heard_that_its_password_was_taken_gets_in(board: Board, tmp_path: Path) -> None:
    port, config = ports.free(), tmp_path / "mosquitto.conf"
    credentials.write(tmp_path / "users", {"pi": board.passwords.offer()})
    lines = [f"user {getpass.getuser()}", f"listener {port} 127.0.0.1", "allow_anonymous false"]
    config.write_text("\n".join([*lines, f"password_file {tmp_path / 'users'}", ""]))
    broker = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    login = BrokerConfig("127.0.0.1", port, "pi", tmp_path / "password")
    session = Session(login, "home", "pi", 1, board.passwords)
    try:
        session.start()
        until(lambda: session.connected, "it is connected")
        until(lambda: not (tmp_path / "password.next").exists(), "what worked is the password")
    finally:
        session.stop()
        broker.kill()
        broker.wait()
    assert Passwords(tmp_path / "password").choose() != "first"
