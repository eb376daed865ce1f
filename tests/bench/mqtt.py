"""The references made with MQTT alone: a connected client, and a message through the broker and back."""

import contextlib
import queue
import socket
import time
from collections.abc import Callable, Generator
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.home import Broker

_PATIENCE = 30.0

OnMessage = Callable[[bytes], object]


@contextlib.contextmanager
def subscribed(
    broker: Broker, topic: str, on_message: OnMessage, name: str = "bench"
) -> Generator[mqtt.Client, None, None]:
    """A client that gives what arrives on `topic` to `on_message`, on paho's thread; without Nagle's delay, as ours."""
    ready: queue.SimpleQueue[None] = queue.SimpleQueue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.username_pw_set(broker.username, broker.password)
    client.on_socket_open = _without_nagle
    client.on_connect = lambda *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda *_: ready.put(None)
    client.on_message = lambda _client, _data, message: on_message(bytes(message.payload))
    # More than any benchmark has on its way at once: the client must not be what is measured.
    client.max_inflight_messages_set(1000)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        ready.get(timeout=_PATIENCE)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@contextlib.contextmanager
def round_trip(broker: Broker, topic: str) -> Generator[Callable[[], float], None, None]:
    """A function that sends 100 bytes at QoS 1 to `topic` and gives the seconds until they are back."""
    back: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    with subscribed(broker, topic, back.put) as client:

        def once() -> float:
            started = time.perf_counter()
            client.publish(topic, bytes(100), qos=1)
            back.get(timeout=_PATIENCE)
            return time.perf_counter() - started

        once()  # the first message of a connection is slower
        yield once


def _without_nagle(client: mqtt.Client, data: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
