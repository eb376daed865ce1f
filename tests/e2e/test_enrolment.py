"""Boards that were flashed get in: by a person's word, by a card's token, not by another's; and out again."""

import contextlib
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from flashing import identity
from flashing.identity import Broker
from tests.e2e.conftest import Fleet
from tests.support import until

BOARD = "linux/x86-64"


class FlashedBoard:
    """What a card makes of a machine: the real agent, with the card's files in a folder for its disk."""

    def __init__(self, fleet: Fleet, port: int, folder: Path, name: str, token: bool, again: bool = False) -> None:
        given = identity.from_shim(Client(fleet.url), name, "home", Broker("localhost", port), again, token)
        for file, data in given.files(BOARD, Broker("localhost", port)).items():
            (folder / file).parent.mkdir(exist_ok=True, parents=True)
            (folder / file).write_bytes(data.replace(identity.STATE.encode(), str(folder).encode()))
        with (folder / "agent.toml").open("a") as config:
            config.write("[http]\nport = 0\n")
        self.folder = folder
        self._fleet = fleet
        self._name = name
        self._agent: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "device.launcher", "--config", str(self.folder / "agent.toml")]
        with (self.folder / "log").open("a") as log:
            self._agent = subprocess.Popen(command, stderr=log)

    def stop(self) -> None:
        if self._agent is not None:
            self._agent.terminate()
            self._agent.wait(60)
            self._agent = None

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def logs(self, text: str) -> None:
        until(lambda: text in self.log(), f"{self._name} logs {text!r}")

    def is_online(self) -> bool:
        devices = self._fleet.json("devices")["devices"]
        return any(each["name"] == self._name and each["online"] for each in devices)

    def secrets(self) -> set[str]:
        return {each for each in ("password", "enrol", "token") if (self.folder / each).exists()}


MakeBoard = Callable[..., FlashedBoard]


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[Fleet, int]]:
    port = ports.free()
    with tempfile.TemporaryDirectory(prefix="lamplight-") as home:
        fleet = Fleet(Path(home) / "lamplight", "--listen", f"127.0.0.1:{port}", "--listen-name", "localhost")
        fleet.start()
        yield fleet, port
        fleet.stop()


@pytest.fixture
def flash(door: tuple[Fleet, int], tmp_path: Path) -> Iterator[MakeBoard]:
    made: list[FlashedBoard] = []

    def make(name: str, token: bool, folder: str = "board", again: bool = False) -> FlashedBoard:
        made.append(FlashedBoard(*door, tmp_path / folder, name, token, again))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def claims(fleet: Fleet, name: str) -> list[dict[str, str]]:
    return [each for each in fleet.json("devices")["claims"] if each["name"] == name]


def test_a_new_board_does_nothing_until_it_is_accepted_and_nothing_once_revoked(
    door: tuple[Fleet, int], flash: MakeBoard, tmp_path: Path
) -> None:
    fleet, _ = door
    board = flash("shelf-pi", token=False)
    board.start()
    until(lambda: claims(fleet, "shelf-pi"), "it asks")
    (claim,) = claims(fleet, "shelf-pi")
    assert (claim["state"], claim["board"]) == ("waiting", BOARD)
    board.logs(claim["fingerprint"])
    assert "shelf-pi" not in [each["name"] for each in fleet.json("devices")["devices"]]
    assert board.secrets() == {"enrol"}

    assert fleet.json("devices", "accept", "shelf-pi") == {"accepted": "shelf-pi"}
    until(board.is_online, "it is online")
    assert not claims(fleet, "shelf-pi")
    assert board.secrets() == {"password"}
    assert oct((board.folder / "password").stat().st_mode & 0o777) == "0o600"

    fleet.run("new", "hello", str(tmp_path / "hello"))
    fleet.run("deploy", str(tmp_path / "hello"), "--device", "shelf-pi")
    assert fleet.json("call", "shelf-pi/hello", '{"name": "Ada"}') == {"greeting": "Hello, Ada!"}

    fleet.run("devices", "revoke", "shelf-pi")
    until(lambda: not board.is_online(), "it is out")
    board.logs("refused us")
    board.stop()
    board.start()
    until(lambda: board.log().count("refused us") >= 2, "it is refused again")
    assert not board.is_online()


def test_a_card_with_a_token_is_let_in_and_a_copy_of_the_card_is_not(
    door: tuple[Fleet, int], flash: MakeBoard, tmp_path: Path
) -> None:
    fleet, _ = door
    board = flash("attic-pi", token=True)
    copy = flash("attic-pi", token=True, folder="copy", again=True)
    for file in ("token", "enrol"):
        (copy.folder / file).write_text((board.folder / file).read_text())
    board.start()
    until(board.is_online, "it is online")
    assert board.secrets() == {"password"}
    copy.start()
    copy.logs("used before")
    (refused,) = claims(fleet, "attic-pi")
    assert refused["state"] == "refused" and refused["taken"]
    assert fleet.run("devices", "accept", "attic-pi", code=5).stderr.count("already")
    assert board.is_online()


def test_two_boards_that_ask_for_one_name_are_told_apart_by_a_person(door: tuple[Fleet, int], flash: MakeBoard) -> None:
    fleet, _ = door
    boards = [flash("hall-pi", token=False, folder=each) for each in ("one", "two")]
    for each in boards:
        each.start()
    until(lambda: len(claims(fleet, "hall-pi")) == 2, "both ask")
    marks = [each["fingerprint"] for each in claims(fleet, "hall-pi")]
    shown = fleet.run("devices", "accept", "hall-pi", code=5).stderr
    assert all(mark in shown for mark in marks)
    assert all(each["twice"] for each in claims(fleet, "hall-pi"))
    for mark in marks:
        next(each for each in boards if mark in each.log())
    fleet.run("devices", "accept", marks[0])
    fleet.run("devices", "reject", marks[1])
    winner, loser = sorted(boards, key=lambda each: marks[0] not in each.log())
    until(winner.is_online, "the accepted one is online")
    loser.logs("rejected")
    assert loser.secrets() == {"enrol"}


def test_a_board_that_was_off_for_a_year_gets_a_new_password_and_is_back(
    door: tuple[Fleet, int], flash: MakeBoard
) -> None:
    fleet, _ = door
    board = flash("cellar-pi", token=True)
    board.start()
    until(board.is_online, "it is online")
    board.stop()
    before = (board.folder / "password").read_text()
    fleet.stop()
    with contextlib.closing(sqlite3.connect(fleet.state / "cloud" / "shim.db")) as database, database:
        database.execute("UPDATE credentials SET made = made - 365 * 86400 WHERE device = 'cellar-pi'")
    fleet.start()
    assert "user cellar-pi\n" not in (fleet.state / "cloud" / "broker" / "access").read_text()
    board.start()
    until(lambda: (board.folder / "password").read_text() != before, "it has another password")
    until(board.is_online, "it is back")
    assert "user cellar-pi\n" in (fleet.state / "cloud" / "broker" / "access").read_text()
    board.stop()
    board.start()
    until(board.is_online, "the new password works after a restart")
