"""Events as triggers deliver them, collected."""

import threading

import pytest

PATIENCE = 30.0


class Delivered:
    """Takes events; a test waits for what it expects."""

    def __init__(self):
        self.events = []
        self.trails = []
        self._changed = threading.Condition()

    def __call__(self, source, type, data, subject="", trail=()):
        with self._changed:
            self.trails.append(trail)
            self.events.append((source, type, data, subject))
            self._changed.notify_all()

    def wait(self, count):
        """The first `count` events."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, PATIENCE), self.events
            return self.events[:count]


@pytest.fixture
def delivered():
    return Delivered()
