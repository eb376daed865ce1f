"""A worker's stdout and stderr: whole lines reach the agent when they are printed, and a begun one at the event's end.

What becomes of the lines is the agent's (workers/logpipe.py). Bytes that go past Python, of a library or another
process, are passed on as they come.
"""

import contextlib
import io
import os
import sys

_open: list["Output"] = []


class Output(io.TextIOWrapper):
    """Text for the file descriptor `fd`, line by line; odd characters are written as escapes and are never an error."""

    def __init__(self, fd: int) -> None:
        super().__init__(
            open(fd, "wb", closefd=False),  # noqa: SIM115
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )
        self._begun = False

    def write(self, text: str, /) -> int:
        """As any text file's."""
        written = super().write(text)
        if text:
            self._begun = not text.endswith("\n")
        return written

    def end_line(self) -> None:
        """End the line that was begun, if any. A function may have closed what it prints to: that is its own loss."""
        if self._begun:
            with contextlib.suppress(OSError, ValueError):
                self.write("\n")
            self._begun = False


def take(log: int) -> None:
    """Print to the file descriptor `log` from now on, this process and those that it starts."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    _open[:] = [Output(1), Output(2)]
    sys.stdout, sys.stderr = _open


def end_lines() -> None:
    """End the lines that an event's handler has begun: `print(end="")` must not run into the next event's."""
    for each in _open:
        each.end_line()
