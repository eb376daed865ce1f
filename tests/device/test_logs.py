"""The agent's log as records: every line becomes one, and a bad line harms nobody."""

import logging
from collections.abc import Mapping

import pytest

from device.logs import RecordHandler, level


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("cannot be shown")


@pytest.fixture
def written() -> list[Mapping[str, object]]:
    return []


@pytest.fixture
def logger(written: list[Mapping[str, object]]) -> logging.Logger:
    made = logging.Logger("test", logging.DEBUG)
    made.addHandler(RecordHandler(lambda _stream, _kind, fields: written.append(fields)))
    return made


def test_a_line_becomes_a_record_of_the_agent(logger: logging.Logger, written: list[Mapping[str, object]]) -> None:
    logger.warning("disk %d %% full", 90)
    assert written == [{"function": "", "version": 0, "level": "warning", "text": "disk 90 % full"}]


def test_debug_lines_stay_on_the_board(logger: logging.Logger, written: list[Mapping[str, object]]) -> None:
    logger.debug("details")
    assert written == []


@pytest.mark.parametrize(
    "arguments", [("%d", "x"), ("%s %s", 1), ("%(a)s", {"b": 1}), ("%s", Unshowable())], ids=lambda each: each[0]
)
def test_arguments_that_do_not_fit_reach_nobody_who_logs(
    logger: logging.Logger, written: list[Mapping[str, object]], arguments: tuple[str, object]
) -> None:
    logger.error(*arguments)
    assert [each["text"] for each in written] == [arguments[0]]


def test_levels_between_the_named_ones_take_the_lower() -> None:
    assert [level(n) for n in (5, 10, 20, 25, 30, 40, 50)] == [
        "debug",
        "debug",
        "info",
        "info",
        "warning",
        "error",
        "error",
    ]
