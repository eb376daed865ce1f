"""The agent's log as records: every line becomes one, and a bad line harms nobody."""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from device.logs import JournalFormatter, RecordHandler, level


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


def test_the_journal_gets_the_level_of_each_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("agent", logging.ERROR, "", 1, "two\nlines", None, sys.exc_info())
    lines = JournalFormatter().format(record).splitlines()
    assert lines[:2] == ["<3>agent: two", "<3>lines"]
    assert all(each.startswith("<3>") for each in lines) and "broken" in lines[-1]


@pytest.mark.parametrize(("to_journal", "begins"), [(True, "<6>some: told"), (False, "20")])
def test_only_where_standard_error_is_the_journal_lines_are_for_it(
    tmp_path: Path, to_journal: bool, begins: str
) -> None:
    code = "import logging; from device import logs; logs.to_stderr(False); logging.getLogger('some').info('told')"
    with (tmp_path / "stderr").open("w") as file:
        there = os.fstat(file.fileno())
        stream = f"{there.st_dev}:{there.st_ino if to_journal else 1}"
        environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "JOURNAL_STREAM": stream}
        subprocess.run([sys.executable, "-c", code], env=environment, stderr=file, check=True)
    assert (tmp_path / "stderr").read_text().startswith(begins)
