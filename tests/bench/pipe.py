"""The reference for messages between processes: a child that sends back over a pipe whatever comes down another."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator

_ECHO = """
import os, sys
read, write = map(int, sys.argv[1:])
while data := os.read(read, 65536):
    os.write(write, data)
"""


@contextlib.contextmanager
def echo(payload: bytes) -> Generator[Callable[[], object], None, None]:
    """A function that sends `payload` to the child and returns when it is back."""
    down, to_child = os.pipe()
    from_child, up = os.pipe()
    child = subprocess.Popen([sys.executable, "-c", _ECHO, str(down), str(up)], pass_fds=(down, up))
    os.close(down)
    os.close(up)

    def round_trip() -> bytes:
        os.write(to_child, payload)
        return os.read(from_child, 65536)

    try:
        round_trip()  # the child has started
        yield round_trip
    finally:
        os.close(to_child)
        child.wait()
        os.close(from_child)
