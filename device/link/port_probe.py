"""Whether the broker's port answers a bare, silent TCP connection.

For the proof of a new version of the agent: it must tell an absent network from a broken link of its own. So this
shares no code with session.py and tls.py: a new version may have broken them. It tells neither the reason of a silence
nor whether a broker or something else answers.
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
        """When the port answered last, by the clock; None before the first answer."""
        return self._answered

    def start(self) -> None:
        """Begin to ask the port."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; returns at once. Also before `start`, and again."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            # A name refused by every resolver is a ValueError.
            with contextlib.suppress(OSError, ValueError), socket.create_connection(self._address, PATIENCE):
                self._answered = self._clock()
            self._stopped.wait(PERIOD)
