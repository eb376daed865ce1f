"""The board's passwords on disk: the present one, and the next one from before it is offered until it has worked.

The next one is durable before the shim hears of it, and the present one is given up only when the broker has taken the
next: so wherever power goes, one of the two lets the board in. For one process; any thread.
"""

import threading
from pathlib import Path

from device import durable
from device.enrol.secret import hash_password, new_password


class Passwords:
    """The password in `path`, and the next one beside it. Every method raises OSError when the disk fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = path.with_name(path.name + ".next")
        self._lock = threading.Lock()
        self._trying_next = False

    @property
    def has_own(self) -> bool:
        """Whether the board was let in before."""
        return self._path.exists()

    def offered(self) -> str:
        """The hash last given by `offer`, "" when it is no longer on offer."""
        return self._lines()[1] if self._next.exists() else ""

    def offer(self) -> str:
        """The hash of the next password, made when missing; the same until that password has worked."""
        with self._lock:
            if not self._next.exists():
                password = new_password()
                _write(self._next, f"{password}\n{hash_password(password)}\n")
            return self._lines()[1]

    def choose(self) -> str:
        """The password to connect with now."""
        with self._lock:
            if self._trying_next and self._next.exists():
                return self._lines()[0]
            return self._path.read_text().strip()

    def prefer_next(self) -> None:
        """The shim has taken the next password."""
        with self._lock:
            self._trying_next = True

    def refused(self) -> None:
        """The broker refused the password from `choose`: try the other one next, for an answer may have been lost."""
        with self._lock:
            self._trying_next = not self._trying_next and self._next.exists()

    def worked(self) -> None:
        """The broker took the password from `choose`."""
        with self._lock:
            if self._trying_next:
                self._keep_next()

    def joined(self) -> None:
        """The next password is the board's first own."""
        with self._lock:
            self._keep_next()

    def _keep_next(self) -> None:
        self._trying_next = False
        if self._next.exists():
            _write(self._path, self._lines()[0] + "\n")
            durable.remove(self._next)

    def _lines(self) -> list[str]:
        return self._next.read_text().splitlines()


def _write(path: Path, text: str) -> None:
    """Replace `path`, readable by its owner only, in one durable step."""
    new = path.with_name(path.name + ".new")
    durable.remove(new)
    durable.create_file(new, (text.encode(),), 0o600)
    durable.disk.sync(new)
    durable.rename(new, path)
