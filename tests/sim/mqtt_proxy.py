"""A bad network between a device and its broker: it loses, repeats, reorders and damages chunks, cuts connections.

It understands just enough of MQTT 3.1.1 (section 2.2, the fixed header; 3.3, PUBLISH) to tell the chunks that go to the
device from everything else, which it passes on as it is. What happens to a chunk is decided by a seed. What it gave
the device, whole, is counted.
"""

import random
import socket
import threading
from collections import Counter
from dataclasses import dataclass

_PUBLISH = 3
_IDLE = 0.05  # seconds without a frame after which a chunk that was held back goes on


@dataclass(frozen=True)
class Faults:
    """The share of chunks, 0 to 1, that each happens to; a connection is cut within every `cut_every`-th chunk."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    cut_every: int = 0


class Proxy:
    """Listens on `port` and connects each client to the broker on `upstream`. `faults` may be changed at any time."""

    def __init__(self, upstream: int, seed: int = 0):
        self.faults = Faults()
        self.delivered = Counter()
        self.happened = Counter()
        self.held = threading.Event()
        self._upstream = upstream
        self._choice = random.Random(seed)
        self._seen = 0
        self._budget = None
        self._change = threading.Condition()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_after(self, chunks):
        """Let so many more chunks through, then none until `release`; `held` tells when it has come to that."""
        with self._change:
            self.held.clear()
            self._budget = chunks

    def release(self):
        """Let everything through again."""
        with self._change:
            self._budget = None
            self.held.clear()
            self._change.notify_all()

    def bytes_delivered(self):
        """Bytes of whole chunks that the device was given, each time counted."""
        return sum(self.delivered.values())

    def close(self):
        self._listener.close()
        self.release()
        for each in list(self._open):
            _shut(each)

    def _accept(self):
        while True:
            try:
                device, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                device.close()
                continue
            for each in (device, broker):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {device, broker}
            for pump, *ends in ((self._up, device, broker), (self._down, broker, device)):
                threading.Thread(target=self._run, args=(pump, *ends), daemon=True).start()

    def _run(self, pump, source, target):
        try:
            pump(source, target)
        except OSError:
            pass  # one of the two went away
        for each in (source, target):
            _shut(each)
            self._open.discard(each)

    def _up(self, device, broker):
        while data := device.recv(1 << 16):
            broker.sendall(data)

    def _down(self, broker, device):
        held = None
        for frame in _frames(broker):
            if frame is not None and (payload := _chunk(frame)) is not None:
                self._wait_for_budget()
                held = self._mangle(device, frame, payload, held)
                continue
            if frame is not None:
                device.sendall(frame)
            elif held is not None:
                self._deliver(device, held)
                held = None

    def _mangle(self, device, frame, payload, held):
        """Do to a chunk what is its lot; gives the chunk that is now held back, if any."""
        self._seen += 1
        faults, lot = self.faults, self._choice.random
        if faults.cut_every and self._seen % faults.cut_every == 0:
            self.happened["cut"] += 1
            device.sendall(frame[: len(frame) // 2])
            raise ConnectionAbortedError
        if lot() < faults.drop:
            self.happened["dropped"] += 1
            return held
        if lot() < faults.corrupt:
            self.happened["corrupted"] += 1
            spoiled = bytearray(frame)
            spoiled[-1 - self._choice.randrange(payload)] ^= 0xFF
            device.sendall(spoiled)
            return held
        if held is None and lot() < faults.reorder:
            self.happened["reordered"] += 1
            return frame
        self._deliver(device, frame)
        if lot() < faults.duplicate:
            self.happened["duplicated"] += 1
            self._deliver(device, frame)
        if held is not None:
            self._deliver(device, held)
        return None

    def _deliver(self, device, frame):
        device.sendall(frame)
        self.delivered[_topic(frame)] += _chunk(frame)

    def _wait_for_budget(self):
        with self._change:
            if self._budget == 0:
                self.held.set()
                self._change.wait_for(lambda: self._budget != 0)
            if self._budget is not None:
                self._budget -= 1


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()


def _frames(source):
    """Each frame that arrives, whole, and None when none has come for a while; ends with the connection."""
    source.settimeout(_IDLE)
    buffer = bytearray()
    while True:
        while (length := _length(buffer)) is not None and len(buffer) >= length:
            yield bytes(buffer[:length])
            del buffer[:length]
        try:
            data = source.recv(1 << 18)
        except TimeoutError:
            yield None
            continue
        if not data:
            return
        buffer += data


def _header(frame):
    """The remaining length and how many bytes the fixed header has; None while it is not complete."""
    remaining, shift = 0, 0
    for count, byte in enumerate(frame[1:5], 2):
        remaining |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return remaining, count
        shift += 7
    return None


def _length(buffer):
    header = _header(buffer)
    return None if header is None else sum(header)


def _topic(frame):
    _, start = _header(frame)
    size = int.from_bytes(frame[start : start + 2])
    return frame[start + 2 : start + 2 + size].decode()


def _chunk(frame):
    """How many bytes of payload a frame has that brings a chunk; None for any other."""
    if frame[0] >> 4 != _PUBLISH:
        return None
    topic = _topic(frame)
    if topic.split("/")[-2] != "c":
        return None
    remaining, _ = _header(frame)
    identifier = 2 if frame[0] & 0x06 else 0
    return remaining - 2 - len(topic) - identifier
