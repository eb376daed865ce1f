"""Waits for an idle worker to do something, and can be told to look away while another thread talks to it.

With epoll, looking away costs one system call and the waiting thread sleeps on. Elsewhere it has no effect: the thread
is then woken by what was not for it, and has to find that out (event_queue.py's `recall`); slower, and as correct.
"""

import select
import sys
from typing import Protocol


class Watch(Protocol):
    """Made with the worker's `channel`, which `hush` silences, and `others`, which it does not."""

    def wait(self) -> None:
        """Until there is something."""
        ...

    def forget(self, fd: int) -> None:
        """One of the others has come to its end."""
        ...

    def hush(self) -> None:
        """Do not wait for the channel for now."""
        ...

    def listen(self) -> None:
        """Wait for the channel again, also for what came meanwhile."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class EpollWatch:
    """With epoll, which another thread may change while one waits."""

    def __init__(self, channel: int, others: list[int]) -> None:
        self._channel = channel
        self._epoll = select.epoll()
        for fd in (channel, *others):
            self._epoll.register(fd, select.EPOLLIN)

    def wait(self) -> None:
        """Until there is something."""
        self._epoll.poll()

    def forget(self, fd: int) -> None:
        """One of the others has come to its end."""
        self._epoll.unregister(fd)

    def hush(self) -> None:
        """Do not wait for the channel for now."""
        self._epoll.modify(self._channel, 0)

    def listen(self) -> None:
        """Wait for the channel again, also for what came meanwhile."""
        self._epoll.modify(self._channel, select.EPOLLIN)

    def close(self) -> None:
        """Let go of what it holds."""
        self._epoll.close()


class PollWatch:
    """As EpollWatch, for systems without."""

    def __init__(self, channel: int, others: list[int]) -> None:
        self._poll = select.poll()
        for fd in (channel, *others):
            self._poll.register(fd, select.POLLIN)

    def wait(self) -> None:
        """Until there is something, perhaps for another thread."""
        self._poll.poll()

    def forget(self, fd: int) -> None:
        """One of the others has come to its end."""
        self._poll.unregister(fd)

    def hush(self) -> None:
        """Cannot be done while another thread waits."""

    def listen(self) -> None:
        """It never looked away."""

    def close(self) -> None:
        """It holds nothing."""


def watch(channel: int, others: list[int]) -> Watch:
    """What this system has."""
    return EpollWatch(channel, others) if sys.platform == "linux" else PollWatch(channel, others)
