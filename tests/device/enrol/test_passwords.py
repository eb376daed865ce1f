"""The password files: wherever power goes, one password of the two lets the board in."""

import os
from pathlib import Path

import pytest

from cloud_shim.broker import credentials
from device.enrol import serial
from device.enrol.passwords import Passwords


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("first\n")
    return file


def test_what_is_offered_stays_the_same_over_restarts_until_it_has_worked(path: Path) -> None:
    offered = Passwords(path).offer()
    passwords = Passwords(path)
    assert passwords.offer() == passwords.offered() == offered
    assert passwords.choose() == "first"
    passwords.prefer_next()
    following = passwords.choose()
    assert credentials.matches(following, offered)
    passwords.worked()
    assert path.read_text().strip() == following == Passwords(path).choose()
    assert Passwords(path).offered() == ""
    assert passwords.offer() != offered


def test_the_present_password_is_kept_until_the_next_has_worked(path: Path) -> None:
    passwords = Passwords(path)
    passwords.offer()
    passwords.prefer_next()
    assert path.read_text() == "first\n"
    passwords.refused()
    assert passwords.choose() == "first"
    passwords.worked()
    assert path.read_text() == "first\n" and passwords.offered()


def test_an_answer_that_was_lost_is_made_good_by_trying_the_other(path: Path) -> None:
    offered = Passwords(path).offer()
    passwords = Passwords(path)
    assert passwords.choose() == "first"
    passwords.refused()
    assert credentials.matches(passwords.choose(), offered)
    passwords.refused()
    assert passwords.choose() == "first"


def test_a_refusal_with_nothing_on_offer_changes_nothing(path: Path) -> None:
    passwords = Passwords(path)
    passwords.refused()
    assert passwords.choose() == "first"


def test_power_that_goes_between_the_two_files_costs_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(path)
    offered = passwords.offer()
    passwords.prefer_next()
    unlink = Path.unlink

    def fails(file: Path, missing_ok: bool = False) -> None:
        if file.name == "password.next":
            raise OSError("power is gone")
        unlink(file, missing_ok)

    monkeypatch.setattr(Path, "unlink", fails)
    with pytest.raises(OSError):
        passwords.worked()
    monkeypatch.undo()
    again = Passwords(path)
    assert credentials.matches(again.choose(), offered)
    again.refused()
    assert credentials.matches(again.choose(), offered)


def test_a_first_password_is_the_boards_own_once_it_joined(tmp_path: Path) -> None:
    passwords = Passwords(tmp_path / "password")
    assert not passwords.has_own
    offered = passwords.offer()
    passwords.joined()
    assert passwords.has_own and credentials.matches(passwords.choose(), offered)


def test_no_password_is_readable_by_others(path: Path) -> None:
    old = os.umask(0)
    try:
        passwords = Passwords(path)
        passwords.offer()
        assert (path.parent / "password.next").stat().st_mode & 0o077 == 0
        passwords.joined()
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("told", "expected"), [(b"10000000abcdef01\0", "10000000abcdef01"), (b"\x1b[2J evil\n", "[2Jevil"), (b"", "")]
)
def test_a_serial_number_is_printable(tmp_path: Path, told: bytes, expected: str) -> None:
    file = tmp_path / "proc/device-tree/serial-number"
    file.parent.mkdir(parents=True)
    file.write_bytes(told)
    assert serial.read(tmp_path) == expected


def test_a_board_without_a_serial_number_has_none(tmp_path: Path) -> None:
    assert serial.read(tmp_path) == ""
