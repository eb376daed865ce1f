"""Waits for an idle worker to do something, and can be told to look away while another thread talks to it.

With epoll, looking away costs one system call and the waiting thread sleeps on. Elsewhere it has no effect: the thread
is then woken by another's messages, and has to find out (event_queue.py's `recall`); slower, and as correct.
"""

import select
import sys
from typing import Protocol


class Watch(Protocol):
    """Made with the worker's `channel` and `others`; `hush` silences only the channel."""

    def wait(self) -> None:
        """Until there is something."""
        ...

    def forget(self, fd: int) -> None:
        """One of the others has come to its end."""
        ...

    def hush(self) -> None:
        """Ignore the channel for now."""
        ...

    def listen(self) -> None:
        """Wait for the channel again, with the messages of the meantime."""
        ...

    def close(self) -> None:
        """Release its resources."""
        ...


class EpollWatch:
    """Uses epoll: another thread may change it during a wait."""

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
        """Ignore the channel for now."""
        self._epoll.modify(self._channel, 0)

    def listen(self) -> None:
        """Wait for the channel again, with the messages of the meantime."""
        self._epoll.modify(self._channel, select.EPOLLIN)

    def close(self) -> None:
        """Release its resources."""
        self._epoll.close()


class PollWatch:
    """As EpollWatch, for systems other than Linux."""

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
        """Has no effect: poll stays as it is during a wait."""

    def listen(self) -> None:
        """Has no effect: it looked all the time."""

    def close(self) -> None:
        """Has no effect: poll takes no descriptor."""


def watch(channel: int, others: list[int]) -> Watch:
    """The watch for this system."""
    return EpollWatch(channel, others) if sys.platform == "linux" else PollWatch(channel, others)
