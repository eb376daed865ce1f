"""Wakes the followers of the devices: says only *that* something changed.

Followers read the changes from the database, each at its own pace, so a slow one costs nothing.
"""

import asyncio
import threading


class Changes:
    """A count of changes, and the count at each device's last one. Any thread may announce; coroutines wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._devices: dict[str, int] = {}
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.closed = False

    @property
    def count(self) -> int:
        """How many changes there have been."""
        return self._count

    def records(self) -> None:
        """New records are in the database."""
        with self._lock:
            self._count += 1
            self._wake()

    def device(self, name: str) -> None:
        """The shim's knowledge of this device changed."""
        with self._lock:
            self._count += 1
            self._devices[name] = self._count
            self._wake()

    def all(self) -> None:
        """Wake everybody: they are to look whether they may still follow."""
        with self._lock:
            self._count += 1
            self._wake()

    def close(self) -> None:
        """Wake everybody, for the last time."""
        with self._lock:
            self.closed = True
            self._wake()

    def devices_since(self, count: int) -> set[str]:
        """The devices with a change after this count."""
        with self._lock:
            return {name for name, changed in self._devices.items() if changed > count}

    async def wait(self, count: int, timeout: float) -> bool:
        """Until there were more than `count` changes (True), or `timeout` seconds passed (False)."""
        woken = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._count > count or self.closed:
                return True
            self._waiting.add(woken)
        try:
            await asyncio.wait_for(woken[1].wait(), timeout)
            return True
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(woken)

    def _wake(self) -> None:
        for loop, woken in self._waiting:
            loop.call_soon_threadsafe(woken.set)
        self._waiting.clear()
