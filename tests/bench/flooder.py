"""One credential in hostile hands: sends one kind of message as fast as the broker takes it, until it is ended.

`python -m tests.bench.flooder PORT FLEET DEVICE PASSWORD KIND`. Bare sockets and bodies made beforehand: a client
library would be the limit. Refused or thrown out, it comes again, ten times a second.
"""

import contextlib
import itertools
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator

from device.protocol import topics

_LARGE = 900_000


def _records(fleet: str, device: str, number: int) -> tuple[str, bytes, bool]:
    """Batches of records, each of them well-formed and new."""
    text = {"time": 1.0, "kind": "log", "function": "", "version": 0, "level": "info", "text": "A" * 60_000}
    records = [{"seq": number * 15 + each, **text} for each in range(15)]
    body = json.dumps({"boot": "1-00000000", "records": records}).encode()
    return topics.up(fleet, device, "logs"), body, False


def _lines(fleet: str, device: str, number: int) -> tuple[str, bytes, bool]:
    """As many small batches as possible: the broker has no limit for those at QoS 0."""
    return topics.up(fleet, device, "logs"), b'{"boot": "1-00000000", "records": []}', False


def _reports(fleet: str, device: str, number: int) -> tuple[str, bytes, bool]:
    """States, at QoS 1: the broker queues them for the shim, before the states of others."""
    return topics.of_device(fleet, device, "reported"), b"{" + bytes(_LARGE) + b"}", True


def _wants(fleet: str, device: str, number: int) -> tuple[str, bytes, bool]:
    """Small messages, as many as possible."""
    return topics.of_device(fleet, device, "want"), b'{"chunks": []}', False


def _retained(fleet: str, device: str, number: int) -> tuple[str, bytes, bool]:
    """Messages that the broker is to keep, on ever new topics of functions."""
    return topics.shared(fleet, f"flood/n{number}"), bytes(_LARGE), True


KINDS: dict[str, Callable[[str, str, int], tuple[str, bytes, bool]]] = {
    "records": _records,
    "lines": _lines,
    "reports": _reports,
    "wants": _wants,
    "retained": _retained,
}


def main(arguments: list[str]) -> None:
    """The command line."""
    port, fleet, device, password, kind = arguments
    make = KINDS[kind]
    # Made beforehand, and sent over and over.
    qos = 0 if kind == "lines" else 1
    packets = [_publish(*make(fleet, device, number), qos) for number in range(200)]
    if len(packets[0]) < 1000:
        packets = [b"".join(packets)]
    while True:
        with contextlib.suppress(OSError):
            _flood(int(port), _connect(device, password), itertools.cycle(packets))
        time.sleep(0.1)


def _flood(port: int, hello: bytes, packets: Iterator[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as broker:
        broker.sendall(hello)
        if broker.recv(4)[3:] != b"\0":
            return
        print("flooding", flush=True)
        for packet in packets:
            broker.sendall(packet)
            # The acknowledgements: unread, they would slow the broker.
            with contextlib.suppress(BlockingIOError):
                broker.recv(1 << 20, socket.MSG_DONTWAIT)


def _connect(user: str, password: str) -> bytes:
    fields = b"".join(_field(each.encode()) for each in (f"flood-{user}", user, password))
    return _packet(0x10, _field(b"MQTT") + b"\x04\xc2\0\0" + fields)


def _publish(topic: str, body: bytes, retain: bool, qos: int) -> bytes:
    number = b"\0\1" if qos else b""
    return _packet(0x30 | qos << 1 | retain, _field(topic.encode()) + number + body)


def _packet(kind: int, content: bytes) -> bytes:
    length, left = bytearray(), len(content)
    while left >= 128:
        length.append(left % 128 | 128)
        left //= 128
    return bytes([kind, *length, left]) + content


def _field(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


if __name__ == "__main__":
    main(sys.argv[1:])
