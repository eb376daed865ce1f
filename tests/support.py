"""What tests of several parts share: waiting for a condition, free ports, a chunk of patience."""

import socket
import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds; only a failing test waits this long


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return when `condition()` is true; fail saying `what` never came true."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.01)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
