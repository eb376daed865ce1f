"""ARCHITECTURE.md names every package; it, CONTRIBUTING.md and the decisions name no path that is not there."""

import re
from pathlib import Path

import pytest

from tests import packages
from tests.packages import PAGE, ROOT

TEXT = PAGE.read_text()
PAGES = [PAGE, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/adr").glob("*.md"))]


def paths(text: str) -> list[str]:
    """Every path between backticks: the ones with a slash in them, and no `*` or `…`."""
    return [each for each in re.findall(r"`([\w./-]+)`", text) if "/" in each]


def test_the_page_has_the_packages_as_they_are() -> None:
    assert packages.written(TEXT) == TEXT, "run: python -m tests.packages"


def test_every_package_has_a_row() -> None:
    missing = [str(each) for each in packages.packages() if f"`{each}/`" not in TEXT]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_a_page_exists(page: Path) -> None:
    assert [each for each in paths(page.read_text()) if not (ROOT / each).exists()] == []


def test_every_decision_has_a_row_and_says_when_to_look_again() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    decisions = [page for page in PAGES if page.parent.name == "adr" and page.name != "README.md"]
    assert [page.name for page in decisions if f"({page.name})" not in index] == []
    parts = ("## Context", "## Decision", "## Measured", "## Consequences", "## When to look again")
    assert [page.name for page in decisions if any(part not in page.read_text() for part in parts)] == []


def test_a_path_that_does_not_exist_would_be_found() -> None:
    assert paths("see `device/agent.py`, `a b/c` and `device/gone.py`") == ["device/agent.py", "device/gone.py"]
