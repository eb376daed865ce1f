"""Takes off the broker the messages it was to keep and that nobody of ours keeps: on functions' topics, replies, asks.

mosquitto keeps any number of them for one client, and lets the shim neither forbid nor count them. A subscription gives
those that are kept, so this subscribes anew at each look, on a connection of its own, and clears them. The other topics
that devices may write are so few that they need no limit. It knows who may write a topic, not who did.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cloud_shim.broker.access import SHIM_USER
from device.link import pump
from device.protocol import topics
from device.protocol.enrolment import login_id

_KEEPALIVE = 60
_PATIENCE = 5.0  # seconds for the broker's answer, and for its next message while more are on their way
_QUIET = 0.3  # seconds without one after which all have come


class Found(Counter[str]):
    """Bytes by topic of the messages that were taken away."""


class Strays:
    """One connection to look for them; for one thread."""

    def __init__(self, host: str, port: int, fleet: str, password: str) -> None:
        self._where = host, port
        base = f"{topics.ROOT}/{fleet}"
        self._filters = [f"{base}/t/#", f"{base}/d/+/reply/#", f"{base}/e/#"]
        self._kept: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._answered = threading.Event()
        identity = login_id(f"{fleet}-shim-strays", password)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=identity, reconnect_on_failure=False)
        self._client.username_pw_set(SHIM_USER, password)
        self._client.max_inflight_messages_set(100)
        self._client.on_message = self._received
        self._client.on_subscribe = lambda *_: self._answered.set()  # pyright: ignore[reportUnknownLambdaType]
        pump.prepare(self._client)

    def clear(self) -> Found:
        """Look, and take away what the broker gives at once; nothing is found while it is away."""
        try:
            self._connect()
            found = self._look()
            self._remove(list(found))
        except (OSError, ValueError, RuntimeError):
            self.close()
            return Found()
        return found

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self) -> None:
        if self._client.is_connected():
            return
        self.close()
        self._client.connect(*self._where, _KEEPALIVE)
        self._client.loop_start()
        deadline = time.monotonic() + _PATIENCE
        while not self._client.is_connected():
            if time.monotonic() > deadline:
                raise OSError("the broker does not answer")
            time.sleep(0.01)

    def _look(self) -> Found:
        self._answered.clear()
        self._client.subscribe([(each, 1) for each in self._filters])
        if not self._answered.wait(_PATIENCE):
            raise OSError("the broker does not answer")
        # What functions send each other just now is none of our business.
        self._client.unsubscribe(self._filters)
        found = Found()
        while True:
            try:
                topic, size = self._kept.get(timeout=_QUIET)
            except queue.Empty:
                return found
            found[topic] = size

    def _remove(self, found: Sequence[str]) -> None:
        sent = [self._client.publish(topic, b"", 1, retain=True) for topic in found]
        for each in sent:
            each.wait_for_publish(_PATIENCE)

    def _received(self, client: mqtt.Client, data: object, message: mqtt.MQTTMessage) -> None:
        if message.retain and message.payload:
            self._kept.put((message.topic, len(message.payload)))
