"""Offers the shim the board's next password, at each connection and once a day; the shim takes it when it is time.

The shim decides the time: it has a clock. Connecting is link/session.py's.
"""

import logging
from collections.abc import Callable

from device.enrol.passwords import Passwords
from device.protocol.enrolment import ACCEPTED, REFUSED, Answer, Ask

_DAY = 86400.0

_log = logging.getLogger(__name__)


class Renewal:
    """For the device `name`. `send` gives the body of an ask to the broker, False when the broker is away."""

    def __init__(
        self, name: str, board: str, passwords: Passwords, send: Callable[[bytes], bool], clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._board = board
        self._passwords = passwords
        self._send = send
        self._clock = clock
        self._offered = clock()

    def connected(self) -> None:
        """The board is connected: offer."""
        self._offered = self._clock()
        try:
            self.ask()
        except OSError as error:
            _log.warning("No new password could be prepared: %s", error)

    def ask(self, own: str = "", generation: int = 0) -> bool:
        """Offer, with the hash `own` and the `generation` of a board that is not the device. Raises OSError."""
        return self._send(Ask(self._name, self._board, "", self._passwords.offer(), "", own, generation).encode())

    def look(self) -> None:
        """Offer again when the last time was a day ago; `clock` is monotonic, in seconds."""
        if self._clock() - self._offered >= _DAY:
            self.connected()

    def answered(self, answer: Answer) -> None:
        """The shim's answer. When it took the password, the broker ends this connection and takes only the new one."""
        if answer.state == ACCEPTED:
            _log.info("The password for the broker is replaced")
            self._passwords.prefer_next()
        elif answer.state == REFUSED:
            _log.warning("The password for the broker is not replaced: %s", answer.reason)
