"""Decides about an event for a full queue. Pure.

`drop-oldest` and `drop-newest` do as they say. `block` keeps all it can. A call waits for room (event_queue.py), but
time and light go on regardless of a board. So a trigger's event joins the youngest waiting event of the same source: a
timer's tick counts its predecessors in `missed`; of a sensor's readings the newest stays. When its source has no
waiting event, the trigger's event is dropped.
"""

from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple, cast

from device.event import Event
from device.runtime.queue.reply import Reply
from device.runtime.wire.messages import event_packet
from device.triggers.delivery import NOTHING_MORE, Asked


class Waiting(NamedTuple):
    """An event, its packet (messages.event_packet), and the place for its result when a caller waits.

    `asked` is more for such a caller, `trail` the functions that led to it (triggers/circles.py).
    """

    event: Event
    packet: bytes
    reply: Reply | None = None
    asked: Asked = NOTHING_MORE
    trail: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: Event, reply: Reply | None = None, asked: Asked = NOTHING_MORE) -> "Waiting":
        """Encodes the event; raises as messages.event_packet does."""
        e = event
        packet = event_packet(e.id, e.source, e.type, e.time, e.data, e.subject, e.hops, asked.marks)
        return cls(event, packet, reply, asked)

    def fail(self, error: Exception) -> None:
        """Tell a waiting caller that the event failed, was dropped or was left unfinished."""
        if self.reply:
            self.reply.fail(error)


def squeeze_in(events: deque[Waiting], new: Waiting, overflow: str) -> Waiting:
    """Put `new` into a full queue, by the policy `overflow`; returns the displaced event, perhaps `new` itself."""
    if overflow == "drop-oldest":
        events.append(new)
        return events.popleft()
    if overflow == "block" and not new.reply:
        return _join(events, new)
    return new


def _join(events: deque[Waiting], new: Waiting) -> Waiting:
    for place in range(len(events) - 1, -1, -1):
        old = events[place]
        if old.event.source == new.event.source and not old.reply:
            events[place] = _both(old, new)
            return old
    return new


def _both(old: Waiting, new: Waiting) -> Waiting:
    if new.event.type != "lamplight.timer.tick":
        return new
    missed = _missed(old.event) + 1 + _missed(new.event)
    return Waiting.of(replace(new.event, data={"missed": missed}))


def _missed(event: Event) -> int:
    return int(cast("dict[str, Any]", event.data)["missed"])
