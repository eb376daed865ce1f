"""Whether the broker's port answers, as a bare TCP connection that says nothing tells.

For the proof of a new version of the agent: it must tell a network that is away from a link of its own that is broken.
So this shares no code with session.py and tls.py, which a new version may have broken. It does not say why there is no
answer, and not whether a broker or something else gives it.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

# Seconds between two tries, and for an answer.
PERIOD = 5.0
PATIENCE = 5.0


class PortProbe:
    """Asks this port again and again, on a thread of its own (a name server may take long), from `start` to `stop`."""

    def __init__(self, host: str, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = (host, port)
        self._clock = clock
        self._answered: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="port-probe", daemon=True)

    @property
    def answered(self) -> float | None:
        """When the port answered last, by the clock; None when it never did."""
        return self._answered

    def start(self) -> None:
        """Begin to ask the port."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; returns at once. Also before `start`, and again."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            # A name that no resolver takes is a ValueError.
            with contextlib.suppress(OSError, ValueError), socket.create_connection(self._address, PATIENCE):
                self._answered = self._clock()
            self._stopped.wait(PERIOD)
