"""Wakes a thread waiting in poll or epoll: a pipe becomes readable."""

import os


class Waker:
    """Any thread nudges; one waits for `fileno` and calms it. Closed for good by its owner."""

    def __init__(self) -> None:
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        self._open = True

    def fileno(self) -> int:
        """Readable after a nudge."""
        return self._woken

    def nudge(self) -> None:
        """Wake the waiting thread."""
        if not self._open:
            return
        try:
            os.write(self._wake, b"!")
        except BlockingIOError:
            # The pipe is full of wake-ups already.
            pass

    def calm(self) -> None:
        """Take back the answered wake-ups."""
        try:
            os.read(self._woken, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close the pipe; later nudges are ignored."""
        self._open = False
        os.close(self._woken)
        os.close(self._wake)
