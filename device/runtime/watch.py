"""Waits for an idle worker to do something, and can be told to look away while another thread talks to it.

With epoll, looking away costs one system call and the waiting thread sleeps on. Elsewhere it has no effect: the thread
is then woken by what was not for it, and has to find that out (event_queue.py's `recall`); slower, and as correct.
"""

import select
import sys
from typing import Protocol


class Watch(Protocol):
    """Made with the file descriptors of the `worker`, which `hush` silences, and `wake`, which it does not."""

    def wait(self) -> None:
        """Until there is something."""
        ...

    def forget(self, fd: int) -> None:
        """One of the worker's has come to its end."""
        ...

    def hush(self) -> None:
        """Do not wait for the worker for now."""
        ...

    def listen(self) -> None:
        """Wait for the worker again, also for what it did meanwhile."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class EpollWatch:
    """With epoll, which another thread may change while one waits."""

    def __init__(self, worker: list[int], wake: int) -> None:
        # One inside the other: to silence the inner one silences all of it.
        self._inner = select.epoll()
        for fd in worker:
            self._inner.register(fd, select.EPOLLIN)
        self._outer = select.epoll()
        self._outer.register(wake, select.EPOLLIN)
        self._outer.register(self._inner.fileno(), select.EPOLLIN)

    def wait(self) -> None:
        """Until there is something."""
        self._outer.poll()

    def forget(self, fd: int) -> None:
        """One of the worker's has come to its end."""
        self._inner.unregister(fd)

    def hush(self) -> None:
        """Do not wait for the worker for now."""
        self._outer.modify(self._inner.fileno(), 0)

    def listen(self) -> None:
        """Wait for the worker again, also for what it did meanwhile."""
        self._outer.modify(self._inner.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Let go of what it holds."""
        self._inner.close()
        self._outer.close()


class PollWatch:
    """As EpollWatch, for systems without."""

    def __init__(self, worker: list[int], wake: int) -> None:
        self._poll = select.poll()
        for fd in (wake, *worker):
            self._poll.register(fd, select.POLLIN)

    def wait(self) -> None:
        """Until there is something, perhaps for another thread."""
        self._poll.poll()

    def forget(self, fd: int) -> None:
        """One of the worker's has come to its end."""
        self._poll.unregister(fd)

    def hush(self) -> None:
        """Cannot be done while another thread waits."""

    def listen(self) -> None:
        """It never looked away."""

    def close(self) -> None:
        """It holds nothing."""


def watch(worker: list[int], wake: int) -> Watch:
    """What this system has."""
    return EpollWatch(worker, wake) if sys.platform == "linux" else PollWatch(worker, wake)
