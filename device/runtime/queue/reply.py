"""The result of an event that somebody waits for, on its way from one thread to another.

As concurrent.futures.Future, which costs a tenth of such an event: for one who waits and one who brings.
"""

import threading


class Reply:
    """Whatever comes first stands: a value, an error, or that nobody waits any more."""

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
        """The event was not handled, or not to its end."""
        if self._decide():
            self._error = error
            self._arrival.release()

    def wait(self, seconds: float) -> object:
        """The value, or raises the error; raises TimeoutError when neither comes in time, and gives up."""
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
