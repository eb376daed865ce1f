"""What a machine says of itself, and what follows for an installation."""

from dataclasses import replace

import pytest

import boards
from device.errors import LamplightError, RejectedError, UsageError
from flashing import survey
from flashing.survey import ROOM, Machine

KNOWN = [boards.load(each) for each in boards.names()]
PI = Machine("aarch64", "3.13", 64, "Raspberry Pi 4 Model B Rev 1.5", 2 * ROOM, False, True, True, "", "", False)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Raspberry Pi 4 Model B Rev 1.5", "raspberry-pi/4b"),
        ("Raspberry Pi 3 Model B Rev 1.2", "raspberry-pi/3b"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberry-pi/3b-plus"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi/5"),
        ("Raspberry Pi 500 Rev 1.0", ""),
        ("Raspberry Pi Zero 2 W Rev 1.0", "raspberry-pi/zero-2-w"),
        ("Raspberry Pi Compute Module 4 Rev 1.0", ""),
        ("", ""),
    ],
)
def test_a_board_is_known_by_its_device_tree(model: str, name: str) -> None:
    assert survey.detect(model, KNOWN) == name


def test_the_board_shows_itself_and_another_name_for_it_is_refused() -> None:
    assert survey.board(PI, "", KNOWN).name == "raspberry-pi/4b"
    with pytest.raises(RejectedError, match=r"says that it is a Raspberry Pi 4.*--board raspberry-pi/4b"):
        survey.board(PI, "raspberry-pi/5", KNOWN)


def test_an_adapter_on_usb_gets_the_libraries_of_the_machine_that_it_hangs_on() -> None:
    found = survey.board(replace(PI, model="", architecture="x86_64"), "microchip/mcp2221", KNOWN)
    assert found.machine.wheels == boards.load("linux/x86-64").machine.wheels


@pytest.mark.parametrize("model", ["", PI.model])
def test_an_adapter_on_usb_stays_the_devices_board_until_another_is_named(model: str) -> None:
    machine = replace(PI, model=model, board="microchip/mcp2221")
    assert survey.board(machine, "", KNOWN).name == "microchip/mcp2221"
    assert survey.board(machine, "linux/arm64", KNOWN).name == "linux/arm64"


def test_a_card_that_was_put_into_another_board_is_for_that_one() -> None:
    assert survey.board(replace(PI, board="raspberry-pi/5"), "", KNOWN).name == "raspberry-pi/4b"


def test_a_machine_that_nobody_knows_is_asked_for() -> None:
    with pytest.raises(UsageError, match="Which board"):
        survey.board(replace(PI, model="", architecture="riscv64"), "", KNOWN)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (replace(PI, python="3.9"), "its Python is 3.9"),
        (replace(PI, python="", bits=0), "it has no Python"),
        (replace(PI, bits=32), "32 bits"),
        (replace(PI, systemd=False), "systemd"),
        (replace(PI, free=ROOM - 1), "make room"),
        (replace(PI, sudo=False), "log in as root"),
    ],
)
def test_a_machine_that_cannot_take_the_agent_is_refused_with_the_reason(machine: Machine, words: str) -> None:
    with pytest.raises(RejectedError, match=words):
        survey.check(machine)


def test_one_that_can_is_not_refused() -> None:
    survey.check(PI)


@pytest.mark.parametrize("told", ["", "command not found", "architecture=x\npython=3.11 many\n", "\x00"])
def test_what_is_no_answer_is_told_of(told: str) -> None:
    with pytest.raises(LamplightError, match="did not say what it is"):
        survey.parse(told)
