"""The mqtt trigger: an event for each message on a topic of the fleet; and the way of a function's messages there.

A function's messages reach the other functions of its own board at once, even offline, and those of other boards while
this board is connected. This file keeps none for later; the record for the cloud is kept elsewhere. The link carries
the messages.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from device.errors import LamplightError
from device.event import rfc3339
from device.protocol.cloudevents import Message
from device.protocol.errors import ProtocolError
from device.protocol.topics import is_fleet_topic, matches
from device.triggers import circles
from device.triggers.delivery import Deliver

# Seconds until refused topics are asked for again: the broker's rules may have changed.
RETRY = 30.0

_log = logging.getLogger(__name__)


class Network(Protocol):
    """Carries messages between the boards of the fleet; topics lack the fleet's root."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send; False when offline."""
        ...

    def subscribe(self, filters: Sequence[str], answered: Callable[[str, bool], None]) -> None:
        """Have these delivered from now on; ignored when offline.

        `answered` hears for each whether the broker grants it.
        """
        ...

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """End the delivery of these."""
        ...


class MqttTrigger:
    """Delivers the messages on the topics of `filter`, until closed."""

    def __init__(self, hub: "TopicHub", filter: str, deliver: Deliver) -> None:
        self._hub = hub
        self.filter = filter
        self._deliver = deliver

    @property
    def fault(self) -> LamplightError | None:
        """The broker's refusal of the topic. None while offline: the answer is open."""
        return self._hub.fault(self.filter)

    def take(self, message: Message) -> None:
        """Take a matching message."""
        data = {"topic": message.topic, "data": message.data, "from": message.source}
        self._deliver("mqtt", "lamplight.mqtt.message", data, message.topic, message.trail)

    def close(self) -> None:
        """Deliver no more."""
        self._hub.leave(self)


class TopicHub:
    """The listeners of each topic. `origin` is the path of this device's sources: "/<fleet>/<device>/<boot>"."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        # A runtime without a fleet around it has no origin.
        _, _, self._device, *_ = f"{origin}///".split("/")
        self._network: Network | None = None
        self._lock = threading.Lock()
        self._triggers: list[MqttTrigger] = []
        self._refused: set[str] = set()
        self._numbers = itertools.count(1)

    def link(self, network: Network) -> None:
        """Reach the other boards through this one."""
        self._network = network

    def connected(self) -> None:
        """Subscribe anew: the network may have forgotten."""
        with self._lock:
            self._refused.clear()
            filters = sorted({each.filter for each in self._triggers})
        self._subscribe(filters)

    def fault(self, filter: str) -> LamplightError | None:
        """The broker's refusal of these topics, if it has refused them."""
        if filter not in self._refused:
            return None
        return LamplightError(
            f"the broker refuses the topic {filter!r}", "its rules do not let this device read it", "look at its rules"
        )

    def trigger(self, filter: str, deliver: Deliver) -> MqttTrigger:
        """A trigger on these topics."""
        trigger = MqttTrigger(self, filter, deliver)
        with self._lock:
            new = all(each.filter != filter for each in self._triggers)
            self._triggers.append(trigger)
        if new:
            self._subscribe([filter])
        return trigger

    def published(self, function: str, topic: str, data: object, trail: tuple[str, ...] = ()) -> str:
        """Hand out a message of this board's function; the fleet gets it when the topic is made of names.

        `trail` are the functions that led to it; after so many (circles.py) it is dropped. Gives a text for the
        function's log when it is one of a circle, or else "".
        """
        if not is_fleet_topic(topic):
            return ""
        trail = (*trail, f"{self._device}/{function}")
        if not circles.ended(trail):
            self._send(function, topic, data, trail)
        return circles.notice(trail)

    def _send(self, function: str, topic: str, data: object, trail: tuple[str, ...]) -> None:
        source = f"{self._origin}/function/{function}"
        message = Message(f"{function}-{next(self._numbers)}", source, rfc3339(time.time()), topic, data, trail)
        try:
            payload = message.encode()
        except ProtocolError as error:
            _log.warning("%s published on %s what stays on the board's record alone: %s", function, topic, error)
            return
        self._hand_out(message)
        if self._network:
            self._network.publish(topic, payload)

    def arrived(self, message: Message) -> None:
        """A message came from the network. This board's own were handed out when they were sent."""
        if not message.source.startswith(f"{self._origin}/"):
            self._hand_out(message)

    def _hand_out(self, message: Message) -> None:
        with self._lock:
            listening = [each for each in self._triggers if matches(each.filter, message.topic)]
        for each in listening:
            each.take(message)

    def leave(self, trigger: MqttTrigger) -> None:
        """Take this one off the list."""
        with self._lock:
            if trigger not in self._triggers:
                return
            self._triggers.remove(trigger)
            last = all(each.filter != trigger.filter for each in self._triggers)
            if last:
                self._refused.discard(trigger.filter)
        if last and self._network:
            self._network.unsubscribe([trigger.filter])

    def _subscribe(self, filters: Sequence[str]) -> None:
        if filters and self._network:
            self._network.subscribe(filters, self._answered)

    def _answered(self, filter: str, granted: bool) -> None:
        with self._lock:
            wanted = any(each.filter == filter for each in self._triggers)
            if granted or not wanted:
                self._refused.discard(filter)
                return
            self._refused.add(filter)
        again = threading.Timer(RETRY, self._ask_again, (filter,))
        again.daemon = True
        again.start()

    def _ask_again(self, filter: str) -> None:
        # Unless nobody wants it any more, or a new connection has asked for it since.
        if self.fault(filter):
            self._subscribe([filter])
