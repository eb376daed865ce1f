"""Links that sign a browser in: each is good once, and for a few minutes. They are in memory only."""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass

from cloud_shim.people.identity import Identity
from cloud_shim.people.token_text import digest

LIFETIME = 900.0
"""Seconds until an unused link is worth nothing."""

_MOST = 100  # links kept; the oldest go first


@dataclass(frozen=True)
class _Link:
    digest: str
    identity: Identity
    ends: float


class Links:
    """The unused links of one shim."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unused: list[_Link] = []

    def make(self, identity: Identity) -> str:
        """A code for a new link; the browser that brings it is signed in as `identity`."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            made = _Link(digest(code), identity, time.monotonic() + LIFETIME)
            self._unused = [*self._unused, made][-_MOST:]
        return code

    def spend(self, code: str) -> Identity | None:
        """The identity of the link with this code; None for an unknown, used or ended one."""
        wanted, now = digest(code), time.monotonic()
        with self._lock:
            spent = [each for each in self._unused if hmac.compare_digest(each.digest, wanted)]
            self._unused = [each for each in self._unused if each not in spent and now < each.ends]
        return next((each.identity for each in spent if now < each.ends), None)
