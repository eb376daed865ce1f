"""A worker's stdout and stderr: whole lines reach the agent when they are printed, and a begun one at the event's end.

The agent takes the lines from there (workers/logpipe.py). Bytes written past Python, by a library or another process,
are passed on as they come.
"""

import contextlib
import io
import os
import sys

_open: list["Output"] = []


class Output(io.TextIOWrapper):
    """Text for the file descriptor `fd`, line by line; odd characters are written as escapes instead of raising."""

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
        if text and not self._begun:
            _end_others(self)
        written = super().write(text)
        if text:
            self._begun = not text.endswith("\n")
        return written

    def end_line(self) -> None:
        """End the begun line, if any. A function may have closed its own output: the text is its own loss."""
        if self._begun:
            with contextlib.suppress(OSError, ValueError):
                self.write("\n")
            self._begun = False


def take(log: int) -> None:
    """Print to the file descriptor `log` from now on, in this process and its children."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    _open[:] = [Output(1), Output(2)]
    sys.stdout, sys.stderr = _open


def _end_others(output: Output) -> None:
    """Standard output and standard error share a pipe: a line begun on one ends before a line of the other."""
    for each in _open:
        if each is not output:
            each.end_line()


def end_lines() -> None:
    """End the lines begun by an event's handler: the text of `print(end="")` must stay apart from the next event's."""
    for each in _open:
        each.end_line()
