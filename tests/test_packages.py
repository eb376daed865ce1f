"""ARCHITECTURE.md names every package, and no page names a file of ours that is not there."""

import re
from pathlib import Path

import pytest

from tests import packages
from tests.packages import PAGE, ROOT

TEXT = PAGE.read_text()
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
OURS = ("device", "cloud_shim", "boards", "flashing", "models", "tests", "docs")
DOCS = re.compile(r"\bdocs/[\w/-]+\.md\b")
TESTS = {each.name for each in (ROOT / "tests").rglob("test_*.py")}


def paths(text: str) -> list[str]:
    """Every path of ours between backticks, without a `*` or `…` in it; `models/presence/1.tar` is a release's name."""
    found = [each for each in re.findall(r"`([\w./-]+)`", text) if "/" in each and not each.endswith(".tar")]
    return [each for each in found if each.split("/")[0] in OURS]


def named_tests(text: str) -> list[str]:
    """Every file of tests between backticks, by its name alone."""
    return re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", text)


def test_the_page_has_the_packages_as_they_are() -> None:
    assert packages.written(TEXT) == TEXT, "run: python -m tests.packages"


def test_every_package_has_a_row() -> None:
    missing = [str(each) for each in packages.packages() if f"`{each}/`" not in TEXT]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_of_a_page_exists(page: Path) -> None:
    text = page.read_text()
    assert [each for each in paths(text) if not (ROOT / each).exists()] == []
    assert [each for each in named_tests(text) if each not in TESTS] == []


# Rows of tables, and commands, cannot be wrapped; these pages keep the rest to the width of the code.
NARROW = [page for page in PAGES if page.parent == ROOT or page.parent.name in ("adr", "protocol")]


@pytest.mark.parametrize("page", NARROW, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_as_wide_as_the_code(page: Path) -> None:
    lines = re.sub(r"^```sh\n.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL).splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith(("|", "!"))] == []


def test_every_page_that_the_code_names_exists() -> None:
    folders = ("device", "cloud_shim", "boards", "flashing", "models", "tests")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    named = {(str(path.relative_to(ROOT)), page) for path in sources for page in DOCS.findall(path.read_text())}
    assert len(named) > 10
    assert [(path, page) for path, page in sorted(named) if not (ROOT / page).exists()] == []


def test_every_decision_has_a_row_and_says_when_to_look_again() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    decisions = [page for page in PAGES if page.parent.name == "adr" and page.name != "README.md"]
    assert len(decisions) >= 12
    assert [page.name for page in decisions if f"({page.name})" not in index] == []
    parts = ("## Context", "## Decision", "## Measured", "## Consequences", "## When to look again")
    assert [page.name for page in decisions if any(part not in page.read_text() for part in parts)] == []


def test_a_path_that_does_not_exist_would_be_found() -> None:
    text = "see `device/agent.py`, `/etc/passwd`, `a b/c` and `device/gone.py`; `tests/a/test_b.py` and `test_c.py`"
    assert paths(text) == ["device/agent.py", "device/gone.py", "tests/a/test_b.py"]
    assert named_tests(text) == ["test_b.py", "test_c.py"]
