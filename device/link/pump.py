"""A paho client driven by a thread of ours: its bytes are moved until the connection ends, then the caller goes on.

paho's own threads would not do. `loop_forever` sleeps for whole seconds between two attempts, and nobody can wake it;
and it waits a second before sending another thread's message. Here `disconnect` ends `run` at once.
"""

import random
import socket
from typing import Any

import paho.mqtt.client as mqtt

RETRY_BASE = 0.25


def prepare(client: mqtt.Client) -> None:
    """Have `run` do all the writing, at once; call this before the client connects."""
    client.on_socket_open = _without_nagle
    # With this set, paho only queues the messages of other threads, and its own thread sends them. Otherwise each
    # thread writes by itself, and two in one TLS session tear its records: plain text was seen on the wire.
    client.on_socket_register_write = _leave_it_to_the_loop


def run(client: mqtt.Client) -> None:
    """Read and write until the connection has ended; after `connect`."""
    while client.loop() == mqtt.MQTT_ERR_SUCCESS:
        pass


def retry_delay(failures: int, cap: float) -> float:
    """Seconds before the next attempt after so many failed ones.

    With full jitter, to keep many clients from coming back in step
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    return random.uniform(0, min(cap, RETRY_BASE * 2 ** min(failures, 10)))


def _leave_it_to_the_loop(client: mqtt.Client, userdata: Any, sock: Any) -> None:
    """The loop looks by itself whether there is something to write."""


def _without_nagle(client: mqtt.Client, userdata: Any, sock: Any) -> None:
    # paho never sets it; with Nagle and delayed acknowledgements a QoS 1 message can take 40 ms more.
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
