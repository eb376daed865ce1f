"""A worker's printed text, as lines: the reading end of the pipe behind its stdout and stderr.

Every read returns at once. A carriage return ends a line too, for a progress bar prints only these. Lines are bounded
in length here, in rate by the journal.
"""

import os
import re
from collections.abc import Callable

MAX_LINE = 2000
_READ = 64 * 1024
# A carriage return at the very end may be the first half of CRLF.
_END = re.compile(rb"\r*\n|(?<=[^\r\n])\r+(?!\Z)")


class LogPipe:
    """`fd` is the pipe's reading end, in non-blocking mode; `sink` takes the lines of one read."""

    def __init__(self, fd: int, sink: Callable[[list[str]], None]) -> None:
        self._fd = fd
        self._sink = sink
        self._rest = b""
        self._cut = False

    def fileno(self) -> int:
        """For poll."""
        return self._fd

    def read(self) -> bool:
        """Take the printed text, one pipe's worth at most. False once all writers are gone."""
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return True
        *whole, self._rest = _END.split((self._rest + data).lstrip(b"\r"))
        if self._cut and whole:
            # The remainder of a line whose beginning is already out.
            del whole[0]
            self._cut = False
        self._shorten(whole)
        if whole:
            # After an ended line a carriage return begins the next one over: it ends nothing.
            self._sink([line.lstrip(b"\r")[:MAX_LINE].decode(errors="replace") for line in whole])
        return bool(data)

    def _shorten(self, whole: list[bytes]) -> None:
        """Keep at most one line's length of an unfinished line."""
        if len(self._rest) > MAX_LINE:
            if not self._cut:
                whole.append(self._rest)
            self._rest = b""
            self._cut = True

    def close(self) -> None:
        """Take the rest, an unfinished last line included, and let go."""
        # One read: a process that outlived the worker must not hold the agent here.
        self.read()
        if self._rest and not self._cut:
            self._sink([self._rest.rstrip(b"\r").decode(errors="replace")])
        os.close(self._fd)
