"""A pytest plugin for `lamplight test`: a run of only skipped tests is a failure.

An example skips its tests while its model lies elsewhere; such a run must not look like a passed one.
"""

from typing import cast

import pytest

# pytest's own codes end at 5: https://docs.pytest.org/en/stable/reference/exit-codes.html
ALL_SKIPPED = 20


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End with ALL_SKIPPED where tests were only skipped."""
    reporter = cast("pytest.TerminalReporter | None", session.config.pluginmanager.get_plugin("terminalreporter"))
    stats = reporter.stats if reporter else {}
    idle = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if idle and stats.get("skipped") and not stats.get("passed"):
        session.exitstatus = ALL_SKIPPED
