"""A shim's signatures by a clock that the test sets, with one release made."""

from datetime import UTC, datetime

import pytest

from cloud_shim.trust.signing import Signing

START = datetime(2026, 6, 1, tzinfo=UTC)


class Clock:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def signing(tmp_path, clock):
    made = Signing(tmp_path, clock)
    made.release("function", "lamp", 1, "a" * 64, 1000)
    return made
