"""The devices' messages on their way to ingest: a queue of each device's own, served in turn, one message a turn.

A flood delays the others by one message of each round. The session's thread only charges the budgets and queues, so
the broker's queue for the shim empties as fast as the network goes. A device waits for acknowledgements, so it has few
messages here: of records beyond that none is kept, for they come again; of states the newest is. The messages are
understood by ingest.py.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from cloud_shim.broker import access
from cloud_shim.records.budgets import Budgets, Message
from device.protocol.errors import ProtocolError
from device.protocol.topics import STATES

logger = logging.getLogger(__name__)

_MOST = {"up": 2, "want": 16, "reply": 256, "ask": 4}
"""Messages of a kind (a stream, a function, a client id) that wait of one credential. A device has one batch of a
stream on its way, and sends it again after a while."""
_ALL = 512
"""Messages of all kinds that wait of one credential."""
_LOOK = 1.0  # seconds between two looks for messages put off whose time has come, when no other message comes


class _Queue:
    """One credential's messages, oldest first, and the numbers of those with the same kind and leaf."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._same: dict[tuple[str, str], deque[int]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        """Keep it, or drop it where too many wait."""
        kind, leaf = message.topic.kind, message.topic.leaf
        same = self._same.setdefault((kind, leaf), deque())
        if kind in STATES and same:
            del self._messages[same.popleft()]
        elif len(same) >= _MOST.get(kind, _ALL) or len(self._messages) >= _ALL:
            if not same:
                del self._same[kind, leaf]
            return
        self._count += 1
        self._messages[self._count] = message
        same.append(self._count)

    def pop(self) -> Message:
        """The oldest."""
        _, message = self._messages.popitem(last=False)
        key = message.topic.kind, message.topic.leaf
        self._same[key].popleft()
        if not self._same[key]:
            del self._same[key]
        return message


class Turns:
    """The queues of one fleet, and the thread that serves them: from `start` to `close`."""

    def __init__(self, budgets: Budgets, is_out: Callable[[str], bool], handle: Callable[[Message], None]) -> None:
        """`is_out` says whether a credential is kept out for a flood: nothing of it is handled."""
        self._budgets = budgets
        self._is_out = is_out
        self._handle = handle
        self._condition = threading.Condition()
        self._waiting: OrderedDict[str, _Queue] = OrderedDict()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the present message; the others come again, or are kept by the broker."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join()

    def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """Take one message from the broker; returns at once."""
        if not payload:
            return  # takes a message off the broker: our own clearing comes back to us
        try:
            message = Message.of(topic, payload, retained)
        except ProtocolError as error:
            logger.debug("dropped a message on %s: %s", topic, error)
            self._budgets.stray(access.writer(topic), "foreign", len(payload))
            return
        if self._budgets.take(message):
            self._put(message)

    def _put(self, message: Message) -> None:
        with self._condition:
            self._waiting.setdefault(message.topic.device, _Queue()).put(message)
            self._condition.notify()

    def _run(self) -> None:
        while (message := self._next()) is not None:
            try:
                self._handle(message)
            except Exception:
                # One bad message must not end the service for every device.
                logger.exception("could not handle a message on %s", message.topic)

    def _next(self) -> Message | None:
        while True:
            for late in self._budgets.due():
                self._put(late)
            with self._condition:
                if not self._waiting and not self._closing:
                    self._condition.wait(_LOOK)
                if self._closing:
                    return None
                message = self._pop() if self._waiting else None
            if message and not self._is_out(message.topic.device):
                return message

    def _pop(self) -> Message:
        device, mine = self._waiting.popitem(last=False)
        message = mine.pop()
        if len(mine):
            # Behind the others.
            self._waiting[device] = mine
        return message
