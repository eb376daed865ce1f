"""Calls from the cloud: each runs on a small pool of threads and is answered, also when it cannot be run."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from device.errors import LamplightError
from device.protocol.messages import Call, Reply

THREADS = 4
MAX_WAITING = 16

_log = logging.getLogger(__name__)


class Calls:
    """`run(function, data, type)` gives the handler's result or raises; `reply(function, reply)` sends the answer."""

    def __init__(self, run: Callable[[str, object, str], object], reply: Callable[[str, Reply], None]) -> None:
        self._run = run
        self._reply = reply
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="call")
        self._places = threading.BoundedSemaphore(MAX_WAITING)

    def submit(self, function: str, call: Call) -> None:
        """Take one call; returns at once. Beyond MAX_WAITING it is refused, for memory is bounded."""
        if not self._places.acquire(blocking=False):
            self._reply(function, Reply(call.id, None, f"{MAX_WAITING} calls are waiting already; try again later"))
            return
        self._pool.submit(self._answer, function, call)

    def close(self) -> None:
        """Take no more calls; the waiting ones are dropped, and their callers time out."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, function: str, call: Call) -> None:
        try:
            reply = Reply(call.id, self._run(function, call.data, call.type), "")
        except LamplightError as error:
            reply = Reply(call.id, None, str(error))
        except Exception as error:
            # A fault of ours: the caller waits for an answer all the same.
            _log.exception("The call of %s failed", function)
            reply = Reply(call.id, None, f"{type(error).__name__}: {error}")
        finally:
            self._places.release()
        self._reply(function, reply)
