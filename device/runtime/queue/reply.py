"""The result of an awaited event, on its way from one thread to another.

As concurrent.futures.Future, for one thread that waits and one that brings. The original takes a tenth of such an
event's time.
"""

import threading


class Reply:
    """The first outcome stands: a value, an error, or the caller's giving up."""

    def __init__(self) -> None:
        self._deciding = threading.Lock()
        self._decided = False
        # Held until it has arrived.
        self._arrival = threading.Lock()
        self._arrival.acquire()
        self._value: object = None
        self._error: Exception | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits."""
        return not self._decided

    def give(self, value: object) -> None:
        """The event was handled."""
        if self._decide():
            self._value = value
            self._arrival.release()

    def fail(self, error: Exception) -> None:
        """The event failed, or was left unfinished."""
        if self._decide():
            self._error = error
            self._arrival.release()

    def wait(self, seconds: float) -> object:
        """The value, or raises the error. When neither comes in time, raises TimeoutError and gives up."""
        if not self._arrival.acquire(timeout=seconds):
            if self._decide():
                raise TimeoutError
            self._arrival.acquire()
        if self._error:
            raise self._error
        return self._value

    def _decide(self) -> bool:
        with self._deciding:
            first, self._decided = not self._decided, True
            return first
