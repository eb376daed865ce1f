"""The doctor asked for by a call."""

import pytest

from device.doctor import remote
from device.errors import LamplightError
from tests.device.doctor.conftest import Board


def test_the_answer_is_what_the_doctor_on_the_board_finds(board: Board) -> None:
    checks = remote.answer(board.config, None)["checks"]
    assert isinstance(checks, list)
    assert {each["name"] for each in checks} == set(board.doctor())


def test_the_callers_clock_is_compared_with_the_boards(board: Board) -> None:
    checks = remote.answer(board.config, {"time": 1_000_000_000})["checks"]
    assert isinstance(checks, list)
    assert next(each for each in checks if each["name"] == "clock.agrees")["status"] == "fail"


@pytest.mark.parametrize("data", ["--help", [], {}, {"time": "now"}, {"time": -1}, {"time": 1.5}, {"time": 2**60}])
def test_what_is_not_asked_in_its_form_is_refused(board: Board, data: object) -> None:
    with pytest.raises(LamplightError, match="was not asked in its form"):
        remote.answer(board.config, data)


def test_a_configuration_that_was_removed_meanwhile_is_said(board: Board) -> None:
    board.config.unlink()
    with pytest.raises(LamplightError, match="There is no configuration"):
        remote.answer(board.config, None)
