"""A board with another's name gets one of its own: with a password nobody else has, whenever power goes."""

import contextlib
import errno
import itertools
import random
import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud_shim.broker import credentials
from device import durable
from device.config import AgentConfig, BrokerConfig, EnrolmentConfig
from device.enrol import own_name
from device.enrol.own_name import OwnName
from device.link import record_file
from device.link.outbox import Outbox
from tests.sim.disk import Model, QuickDisk, RecordingDisk

ONE, TWO = "1000/aaaaaaaa", "2000/bbbbbbbb"
NEW = "shelf-pi"
ORDERS = 3


def card(state: Path, device: str = "desk-pi") -> AgentConfig:
    broker = BrokerConfig("127.0.0.1", 1883, device, state / "password")
    enrolment = EnrolmentConfig(state / "enrol")
    return AgentConfig("home", device, "raspberry-pi/4b", state, state, None, broker, enrolment=enrolment)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "password").write_text("shared\n")
    return folder


def named(state: Path, device: str = "desk-pi", name: str = NEW, hardware: str = TWO, first_run: int = 0) -> str:
    """The board is given the name; gives the hash it showed."""
    own = OwnName(own_name.config(card(state, device)), hardware, first_run)
    shown = own.hash()
    assert own.take(name)
    return shown


def test_from_the_next_start_on_it_is_the_new_device_with_its_own_password(state: Path) -> None:
    shown = named(state)
    assert own_name.config(card(state)) == card(state)
    now = own_name.take_up(card(state))
    assert (now.device, now.broker.username, now.enrolment) == (NEW, NEW, None)
    assert credentials.matches(now.broker.password_file.read_text().strip(), shown)
    assert own_name.take_up(card(state)) == own_name.config(card(state)) == now


def test_a_copy_of_the_card_has_another_password_for_each_board(state: Path, tmp_path: Path) -> None:
    shown = OwnName(card(state), TWO, 0).hash()
    copy = shutil.copytree(state, tmp_path / "copy")
    assert OwnName(card(state), TWO, 0).hash() == shown
    assert OwnName(card(copy), "3000/cccccccc", 0).hash() != shown


def test_a_card_for_another_device_ends_the_name(state: Path) -> None:
    named(state)
    own_name.take_up(card(state))
    assert own_name.take_up(card(state, "hall-pi")).device == "hall-pi"


def test_a_second_name_replaces_the_first_with_another_password(state: Path) -> None:
    first = named(state)
    own_name.take_up(card(state))
    second = named(state, name="bench-pi")
    now = own_name.take_up(card(state))
    assert now.device == "bench-pi" and first != second
    assert credentials.matches(now.broker.password_file.read_text().strip(), second)


def test_the_same_name_again_is_nothing_to_start_again_for(state: Path) -> None:
    named(state)
    assert not OwnName(card(state), TWO, 0).take(NEW)


def test_a_name_whose_password_is_lost_is_not_taken_up(state: Path) -> None:
    named(state)
    (state / "own" / "desk-pi.bbbbbbbb.next").unlink()
    # Another password for the same place: the shim never let it in.
    OwnName(card(state), TWO, 0).hash()
    assert own_name.take_up(card(state)).device == "desk-pi"


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b"{", b'{"card": 1}', b'{"card":"desk-pi","name":"../x","password":"p","hash":"","first_run":0}'],
)
def test_a_damaged_name_leaves_the_board_with_its_card(state: Path, damage: bytes) -> None:
    named(state)
    (state / "own" / "name.json").write_bytes(damage)
    assert own_name.take_up(card(state)) == card(state)


def runs(state: Path, table: str) -> list[int]:
    """The numbers of the runs that the records in this table of the outbox are from."""
    with contextlib.closing(sqlite3.connect(state / "outbox.db")) as database:
        return [int(boot.split("-")[0]) for (boot,) in database.execute(f"SELECT boot FROM {table} ORDER BY id")]


def run_once(state: Path) -> int:
    """One run of the agent with one record, which stays; gives the run's number."""
    outbox = Outbox(state / "outbox.db")
    outbox.append("events", "ran", {})
    outbox.close()
    return outbox.boots


def test_records_of_before_the_copy_are_not_sent_under_the_new_name_and_none_is_lost(state: Path) -> None:
    run_once(state)
    run_once(state)
    first = run_once(state)
    run_once(state)
    named(state, first_run=first)
    own_name.take_up(card(state))
    assert runs(state, "records") == [first, first + 1]
    # Again, as after a power cut in between: nothing more goes, nothing comes twice.
    record_file.set_aside(state / "outbox.db", first)
    assert runs(state, "records") == [first, first + 1]
    assert runs(state, "aside") == [first - 2, first - 1]


def test_where_records_cannot_be_set_aside_the_board_keeps_its_name_and_starts(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(state)

    def full(path: Path, first: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(record_file, "set_aside", full)
        assert own_name.take_up(card(state)).device == "desk-pi"
    assert own_name.take_up(card(state)).device == NEW


@dataclass
class Shim:
    """It gives the name to the first hash that it is shown, and lets only the holder of that password in."""

    hash: str = ""
    steps: list[int] = field(default_factory=list[int])

    def live(self, state: Path, disk: RecordingDisk | None = None) -> AgentConfig:
        """One start of the agent after the other, until the board is the new device."""
        for _ in range(4):
            now = own_name.take_up(card(state))
            if now.device == NEW:
                return now
            assert now == card(state)
            own = OwnName(now, TWO, 0)
            shown = own.hash()
            if disk is not None and not self.hash:
                self.steps.append(len(disk.steps))
            self.hash = self.hash or shown
            assert shown == self.hash, "the board must still hold what the person gave the name to"
            own.take(NEW)
        raise AssertionError("it never became the new device")


def check(now: AgentConfig, shim: Shim) -> None:
    assert credentials.matches(now.broker.password_file.read_text().strip(), shim.hash)


def test_power_lost_after_any_step_leaves_the_old_name_or_the_new_one(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_file, "set_aside", lambda path, first: None)
    work = shutil.copytree(state, tmp_path / "work")
    disk = RecordingDisk(work)
    monkeypatch.setattr(durable, "disk", disk)
    shim = Shim()
    check(shim.live(work, disk), shim)
    monkeypatch.setattr(durable, "disk", QuickDisk())
    model, (told,) = Model(state), shim.steps
    assert len(disk.steps) > 15
    for k, step in itertools.chain([(0, None)], enumerate(disk.steps, 1)):
        if step:
            model.take(step)
        for order in range(1 + ORDERS):
            root = tmp_path / "after"
            model.lose_power(root, random.Random(1000 * k + order) if order else None)
            after = Shim(shim.hash if k >= told else "")
            check(after.live(root), after)
            shutil.rmtree(root)


def test_any_step_that_fails_leaves_the_old_name_or_the_new_one(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_file, "set_aside", lambda path, first: None)
    for k in itertools.count():
        root = shutil.copytree(state, tmp_path / "work")
        disk = RecordingDisk(root, (k,), OSError(errno.ENOSPC, "no space left on device"))
        monkeypatch.setattr(durable, "disk", disk)
        shim = Shim()
        with contextlib.suppress(OSError):
            shim.live(root)
        check(shim.live(root), shim)
        shutil.rmtree(root)
        if disk.tried <= k:
            break
