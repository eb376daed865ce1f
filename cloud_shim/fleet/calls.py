"""Calls of functions on devices: matches each reply with its request."""

import asyncio
import threading
import uuid
from concurrent.futures import Future
from dataclasses import dataclass

from cloud_shim.broker.session import Link
from device.errors import OfflineError, RejectedError
from device.protocol import topics
from device.protocol.messages import CALL, MAX_MESSAGE, Call, Reply


@dataclass(frozen=True)
class _Waiting:
    device: str
    function: str
    reply: Future[Reply]


class Calls:
    """The calls still waiting for their replies."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    async def call(self, device: str, function: str, data: object, timeout: float, type: str = CALL) -> object:
        """The handler's result for an event of this `type` with `data`.

        RejectedError with the handler's own error; OfflineError after `timeout` seconds without an answer.
        """
        id, waiting = uuid.uuid4().hex, _Waiting(device, function, Future())
        payload = Call(id, data, type).encode()
        if len(payload) > MAX_MESSAGE:
            raise RejectedError(
                f"The call's data is too long: {len(payload)} bytes", f"at most {MAX_MESSAGE} can be sent"
            )
        with self._lock:
            self._waiting[id] = waiting
        try:
            self._link.send(topics.call(self._link.fleet, device, function), payload)
            return _result(waiting, await asyncio.wait_for(asyncio.wrap_future(waiting.reply), timeout))
        except TimeoutError:
            raise OfflineError(
                f"{device}/{function} did not answer within {timeout:g} s",
                "the device lost its connection, or the function's queue is full",
                f"`lamplight logs {device}/{function}`",
            ) from None
        finally:
            with self._lock:
                self._waiting.pop(id, None)

    def replied(self, device: str, function: str, reply: Reply) -> None:
        """A reply arrived. It is dropped if no call waits for it, or if another device or function sent it."""
        with self._lock:
            waiting = self._waiting.get(reply.id)
            if waiting is None or (waiting.device, waiting.function) != (device, function):
                return
            del self._waiting[reply.id]
        if waiting.reply.set_running_or_notify_cancel():
            waiting.reply.set_result(reply)


def _result(waiting: _Waiting, reply: Reply) -> object:
    if reply.error:
        # The device names the function.
        raise RejectedError(
            f"{waiting.device}: {reply.error}", "", f"`lamplight logs {waiting.device}/{waiting.function}`"
        )
    return reply.result
