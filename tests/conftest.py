"""What every test shares: `--no-skips` makes a skipped test a failure, as CI wants it; no property has a deadline; the
files that take long are known (budget.py)."""

import pytest
from hypothesis import settings

from tests.budget import Budget

# A machine that does something else meanwhile is no fault of the code.
settings.register_profile("lamplight", deadline=None)
settings.load_profile("lamplight")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")
    parser.addoption("--record-durations", action="store_true", help="write what the files took to tests/slow.toml")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budget(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report
