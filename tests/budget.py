"""What each test file takes: told at the end of a run, and recorded in `slow.toml`.

`slow.toml` names every file that takes longer than SLOW, with its seconds on two quiet cores. From it come the mark
`slow` (`make check` leaves those files out), the order (the longest first, so that processes that share the files end
together) and the budgets. A file over its budget is told, and fails nothing: a busy machine is no fault of the code.
`--record-durations` writes the table anew for the files that ran.
"""

import math
import os
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TABLE = Path(__file__).with_name("slow.toml")
SLOW = 4.0
"""Seconds; a file that takes longer is not part of `make check`."""
_TOLD = 10
_CPU = "processor seconds"
_HEAD = """\
# The files that take longer than {slow:g} s, with their seconds on two quiet cores: `make check` leaves them out,
# `make test` starts with the longest. Written by `pytest --record-durations`; read by budget.py.
"""


@dataclass
class Spent:
    """What one file took: seconds that passed while its tests ran, and seconds of the processor."""

    seconds: float = 0.0
    cpu: float = 0.0


def read(table: Path = TABLE) -> dict[str, float]:
    """The recorded files, by path from the repository's root."""
    return tomllib.loads(table.read_text(encoding="utf-8"))


def updated(table: Mapping[str, float], spent: Mapping[str, Spent]) -> dict[str, float]:
    """The table with the measured files' new figures; those that are quick now leave it."""
    new = {**table, **{path: math.ceil(each.seconds) for path, each in spent.items()}}
    return {path: new[path] for path in sorted(new) if path not in spent or spent[path].seconds > SLOW}


def write(table: Mapping[str, float], to: Path = TABLE) -> None:
    """Put the table where `read` finds it."""
    longest_first = sorted(table.items(), key=lambda each: (-each[1], each[0]))
    lines = [f'"{path}" = {seconds:g}\n' for path, seconds in longest_first]
    to.write_text(_HEAD.format(slow=SLOW) + "".join(lines), encoding="utf-8")


def told(spent: Mapping[str, Spent], table: Mapping[str, float]) -> Iterator[str]:
    """The slowest files as lines, each with its budget; then those over it that are not among them."""
    order = sorted(spent, key=lambda path: -spent[path].seconds)
    for path in order:
        each, budget = spent[path], table.get(path, SLOW)
        over = each.seconds > budget
        if path in order[:_TOLD] or over:
            note = "  over its budget" if over else ""
            yield f"{each.seconds:7.1f} s  {each.cpu:6.1f} s cpu  budget {budget:4g} s  {path}{note}"


class Budget:
    """Adds up what the tests of each file take; on the process that shares them out, that of all."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._table = read()
        self._spent: dict[str, Spent] = defaultdict(Spent)
        self._began = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark the slow files, and put them first."""
        for item in items:
            if _file(item.nodeid) in self._table:
                item.add_marker(pytest.mark.slow)
        items.sort(key=lambda item: -self._table.get(_file(item.nodeid), 0))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[Any]:
        """Look at the processor's clock before each test."""
        self._began = _processor()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Iterator[Any]:
        """With a test's last report goes what it took of the processor, itself and its children that have ended."""
        report = yield
        if call.when == "teardown":
            report.user_properties.append((_CPU, _processor() - self._began))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up."""
        spent = self._spent[_file(report.nodeid)]
        spent.seconds += report.duration
        if report.when == "teardown":
            spent.cpu += dict(report.user_properties).get(_CPU, 0.0)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell it when enough ran that it says something; record it when asked to."""
        if self._config.getoption("--record-durations"):
            write(updated(self._table, self._spent))
        if len(self._spent) > _TOLD:
            whole = Spent(sum(each.seconds for each in self._spent.values()), sum(s.cpu for s in self._spent.values()))
            terminalreporter.section(f"slowest files, of {whole.seconds:.0f} s ({whole.cpu:.0f} s cpu) in all")
            for line in told(self._spent, self._table):
                terminalreporter.write_line(line)


def _file(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


def _processor() -> float:
    return sum(os.times()[:4])
