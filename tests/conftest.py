"""What every test shares: `--no-skips` makes a skipped test a failure, as CI wants it; no property has a deadline; the
files that take minutes come first, so that processes that share the tests end together."""

import pytest
from hypothesis import settings

# A machine that does something else meanwhile is no fault of the code.
settings.register_profile("lamplight", deadline=None)
settings.load_profile("lamplight")

_LONG = ("test_bench.py", "test_architectures.py", "test_transfer.py", "test_light_and_lamp.py", "test_demo.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report
