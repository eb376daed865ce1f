"""ARCHITECTURE.md names every package, and no file or folder that is not there."""

import re

from tests import packages
from tests.packages import PAGE, ROOT

TEXT = PAGE.read_text()


def paths(text: str) -> list[str]:
    """Every path between backticks: the ones with a slash in them, and no `*` or `…`."""
    return [each for each in re.findall(r"`([\w./-]+)`", text) if "/" in each]


def test_the_page_has_the_packages_as_they_are() -> None:
    assert packages.written(TEXT) == TEXT, "run: python -m tests.packages"


def test_every_package_has_a_row() -> None:
    missing = [str(each) for each in packages.packages() if f"`{each}/`" not in TEXT]
    assert missing == []


def test_every_path_of_the_page_exists() -> None:
    assert [each for each in paths(TEXT) if not (ROOT / each).exists()] == []


def test_a_path_that_does_not_exist_would_be_found() -> None:
    assert paths("see `device/agent.py`, `a b/c` and `device/gone.py`") == ["device/agent.py", "device/gone.py"]
