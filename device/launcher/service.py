"""The launcher's reports to its service manager: sd_notify(3), a datagram to the socket in NOTIFY_SOCKET.

Without this variable it stays silent. The caller of `alive` judges whether the launcher is alive.
"""

import contextlib
import os
import socket
from collections.abc import MutableMapping

_MICROSECONDS = 1e6


class Service:
    """The service manager; `environment` loses the variables meant for this process alone.

    `period` is how often `alive` must be called, in seconds: a third of the manager's patience; None when it does not
    watch.
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        self._path = environment.pop("NOTIFY_SOCKET", "")
        usec, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", str(os.getpid()))
        watched = bool(self._path) and usec.isdecimal() and int(usec) > 0 and pid == str(os.getpid())
        self.period = int(usec) / _MICROSECONDS / 3 if watched else None

    def ready(self) -> None:
        """The agent has been started."""
        self._tell("READY=1")

    def alive(self) -> None:
        """The launcher goes round, and so does the agent."""
        if self.period is not None:
            self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._tell(f"STATUS={' '.join(text.split())}")

    def stopping(self) -> None:
        """The agent is being ended in order."""
        self._tell("STOPPING=1")

    def _tell(self, line: str) -> None:
        if not self._path:
            return
        # An abstract socket is written with '@' where the address has a zero byte.
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        # A manager that does not listen must not stop the board's work.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end,
        ):
            end.setblocking(False)
            end.sendto(line.encode(), address)
