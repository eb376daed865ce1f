"""The table of slow files is true of the tree, and marks, order and what is told follow from it."""

from pathlib import Path

import pytest

from tests import budget
from tests.budget import Budget, Spent

ROOT = Path(__file__).parents[1]


def test_every_recorded_file_is_there_and_slow():
    table = budget.read()
    assert [path for path in table if not (ROOT / path).is_file()] == []
    assert [path for path, seconds in table.items() if seconds <= budget.SLOW] == []


def test_a_measured_file_enters_the_table_or_leaves_it_and_others_stay():
    table = {"a.py": 9.0, "b.py": 50.0, "not run.py": 7.0}
    spent = {"a.py": Spent(1.0), "b.py": Spent(60.2), "new.py": Spent(4.1), "quick.py": Spent(4.0)}
    assert budget.updated(table, spent) == {"b.py": 61, "new.py": 5, "not run.py": 7}


def test_a_table_that_is_written_is_read_back_longest_first(tmp_path: Path):
    budget.write({"a.py": 5, "folder/b.py": 60}, tmp_path / "slow.toml")
    assert list(budget.read(tmp_path / "slow.toml").items()) == [("folder/b.py", 60), ("a.py", 5)]
    assert all(len(line) <= 120 for line in (tmp_path / "slow.toml").read_text().splitlines())


def test_the_ten_slowest_are_told_and_any_other_that_is_over_its_budget():
    spent = {f"{seconds}.py": Spent(seconds) for seconds in range(20, 5, -1)}
    table = {f"{seconds}.py": 30.0 for seconds in range(20, 6, -1)}
    lines = list(budget.told(spent, table))
    assert [line.split()[8] for line in lines] == [f"{seconds}.py" for seconds in (*range(20, 10, -1), 6)]
    assert ["over" in line for line in lines] == [False] * 10 + [True]


class Item:
    """What the marks and the order need of a test."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid
        self.marks: list[str] = []

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.append(mark.name)


def test_slow_files_are_marked_and_come_first_each_in_its_own_order(pytestconfig, monkeypatch):
    monkeypatch.setattr(budget, "read", lambda: {"long.py": 60.0, "longer.py": 90.0})
    items = [Item(each) for each in ("quick.py::a", "long.py::b[x::y]", "quick.py::c", "longer.py::d", "long.py::e")]
    Budget(pytestconfig).pytest_collection_modifyitems(items)
    assert [each.nodeid[-1] if "[" not in each.nodeid else "b" for each in items] == ["d", "b", "e", "a", "c"]
    assert [each.marks for each in items] == [["slow"], ["slow"], ["slow"], [], []]


def test_what_a_test_takes_of_the_processor_is_its_childrens_too(request, pytestconfig, monkeypatch):
    clock = iter([10.0, 12.5])
    monkeypatch.setattr(budget, "_processor", lambda: next(clock))
    plugin = Budget(pytestconfig)
    protocol = plugin.pytest_runtest_protocol()
    next(protocol)
    report = pytest.TestReport("a.py::b", ("a.py", 0, ""), {}, "passed", None, "teardown", duration=0.5)
    call = pytest.CallInfo(None, None, 0, 0, 0, "teardown", _ispytest=True)
    making = plugin.pytest_runtest_makereport(call)
    next(making)
    with pytest.raises(StopIteration):
        making.send(report)
    plugin.pytest_runtest_logreport(report)
    assert plugin._spent["a.py"] == Spent(0.5, 2.5)
