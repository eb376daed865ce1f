"""What happens to an event that finds its function's queue full. Pure.

`drop-oldest` and `drop-newest` say it themselves. With `block` nothing is thrown away that can be kept: a call waits
for room (event_queue.py), but neither time nor light waits for a board, so what a trigger has to say joins the youngest
waiting event of the same source: a timer's tick counts the ticks it stands for in `missed`, of a sensor's readings the
newest stays. Where none of its source waits, the trigger's event is dropped.
"""

from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple, cast

from device.event import Event
from device.runtime.queue.reply import Reply
from device.runtime.wire.messages import event_packet


class Waiting(NamedTuple):
    """An event, the packet that says it (messages.event_packet), and where its result goes when somebody waits."""

    event: Event
    packet: bytes
    reply: Reply | None = None

    @classmethod
    def of(cls, event: Event, reply: Reply | None = None) -> "Waiting":
        """Encodes the event; raises as messages.event_packet does."""
        packet = event_packet(event.id, event.source, event.type, event.time, event.data, event.subject, event.hops)
        return cls(event, packet, reply)

    def fail(self, error: Exception) -> None:
        """It will not be handled, or was not handled to its end."""
        if self.reply:
            self.reply.fail(error)


def squeeze_in(events: deque[Waiting], new: Waiting, overflow: str) -> Waiting:
    """Put `new` into a full queue, by the policy `overflow`; the one that had to go, perhaps `new` itself."""
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
