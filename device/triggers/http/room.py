"""The memory for large bodies on their way, shared by all connections of a server: the first ones have it."""

import threading

MIB = 1024 * 1024


class Room:
    """Room for `most` bytes at a time: two of the largest bodies."""

    def __init__(self, most: int = 32 * MIB) -> None:
        self._lock = threading.Lock()
        self._left = most

    def take(self, size: int) -> bool:
        """Whether there was room; then it is taken until given back."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give(self, size: int) -> None:
        """Give back taken room."""
        with self._lock:
            self._left += size
