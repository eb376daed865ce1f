"""A USB adapter with an I2C bus, for the emulated board: whatever stands on the bus is written in Python, out here.

QEMU hands the board a USB device that this process serves (the usbredir protocol, version 0.7, usbredirproto.h). The
device is an i2c-tiny-usb, whose Linux driver gives the board a real /dev/i2c-N (drivers/i2c/busses/i2c-tiny-usb.c).
What the chips do is not here.
"""

import socket
import struct
import threading
from pathlib import Path
from typing import Protocol

# usbredirproto.h: packet types, and capabilities by their bit.
_HELLO, _CONNECT, _INTERFACES, _ENDPOINTS = 0, 1, 4, 5
_SET_CONFIGURATION, _GET_CONFIGURATION, _CONFIGURATION = 6, 7, 8
_SET_ALTERNATIVE, _GET_ALTERNATIVE, _ALTERNATIVE = 9, 10, 11
_CONTROL = 100
_DEVICE_VERSION, _ENDPOINT_SIZES, _LONG_IDS = 1 << 1, 1 << 4, 1 << 5
_CAPABILITIES = _DEVICE_VERSION | 1 << 3 | _ENDPOINT_SIZES | _LONG_IDS | 1 << 6
_FULL_SPEED, _STALL, _UNUSED = 1, 4, 255

# USB 2.0, chapter 9: requests, descriptors.
_GET_STATUS, _GET_DESCRIPTOR, _DEVICE, _CONFIGURED = 0, 6, 1, 2
_VENDOR, _PRODUCT, _VERSION = 0x0403, 0xC631, 0x0205
_DEVICE_DESCRIPTOR = struct.pack(
    "<BBHBBBBHHHBBBB", 18, 1, 0x110, 0xFF, 0, 0, 8, _VENDOR, _PRODUCT, _VERSION, 0, 0, 0, 1
)
_CONFIGURATION_DESCRIPTOR = struct.pack("<BBHBBBBB", 9, 2, 18, 1, 1, 0, 0x80, 50) + struct.pack(
    "<BBBBBBBBB", 9, 4, 0, 0, 0, 0xFF, 0, 0, 0
)

# i2c-tiny-usb.c: the adapter's commands and states; what it can do: I2C, and SMBus by means of it.
_ECHO, _FUNCTIONS, _STATUS, _TRANSFER = 0, 1, 3, 4
_ACKNOWLEDGED, _NOT_ACKNOWLEDGED = 1, 2
_ABILITIES = 0x0EFF0001


class Chip(Protocol):
    """What stands on the bus."""

    def write(self, data: bytes) -> None: ...
    def read(self, count: int) -> bytes: ...


class I2cAdapter:
    """Listens on the socket `path` for the emulator. `chips` by address; without one, nobody acknowledges there."""

    def __init__(self, path: Path) -> None:
        self.chips: dict[int, Chip] = {}
        self.lock = threading.Lock()
        self._status = _ACKNOWLEDGED
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def control(self, type: int, request: int, value: int, index: int, data: bytes, length: int) -> bytes | None:
        """Answer one control transfer, with the bytes for the board; None for one that the device does not know."""
        if type & 0x60 == 0:
            return _standard(request, value, length)
        if request == _ECHO:
            return struct.pack("<H", value)[:length]
        if request == _FUNCTIONS:
            return struct.pack("<I", _ABILITIES)[:length]
        if request == _STATUS:
            return bytes([self._status])
        return self._transfer(value & 1 != 0, index, data, length) if request & ~3 == _TRANSFER else b""

    def _transfer(self, reads: bool, address: int, data: bytes, length: int) -> bytes:
        with self.lock:
            chip = self.chips.get(address)
            self._status = _ACKNOWLEDGED if chip else _NOT_ACKNOWLEDGED
            if reads:
                return chip.read(length) if chip else bytes(length)
            if chip and data:
                chip.write(data)
            return b""

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                _Session(connection, self).serve()
            except OSError:
                pass  # the emulator went away
            connection.close()


def _standard(request: int, value: int, length: int) -> bytes | None:
    if request == _GET_DESCRIPTOR:
        known = {_DEVICE: _DEVICE_DESCRIPTOR, _CONFIGURED: _CONFIGURATION_DESCRIPTOR}.get(value >> 8)
        return known[:length] if known else None
    return b"\0\0"[:length] if request == _GET_STATUS else b""


class _Session:
    """One emulator's connection: the usbredir protocol of a device that has only its control endpoint."""

    def __init__(self, connection: socket.socket, adapter: I2cAdapter) -> None:
        self._connection = connection
        self._adapter = adapter
        self._long_ids = False

    def serve(self) -> None:
        self._send(_HELLO, b"lamplight board test".ljust(64, b"\0") + struct.pack("<I", _CAPABILITIES))
        while True:
            header = struct.Struct("<IIQ" if self._long_ids else "<III")
            kind, length, number = header.unpack(self._receive(header.size))
            self._handle(kind, number, self._receive(length))

    def _handle(self, kind: int, number: int, body: bytes) -> None:
        if kind == _HELLO:
            self._connect(struct.unpack_from("<I", body, 64)[0] if len(body) >= 68 else 0)
        elif kind == _SET_CONFIGURATION:
            self._send(_CONFIGURATION, bytes([0, body[0]]), number)
        elif kind == _GET_CONFIGURATION:
            self._send(_CONFIGURATION, bytes([0, 1]), number)
        elif kind == _SET_ALTERNATIVE:
            self._send(_ALTERNATIVE, bytes([0, body[0], body[1]]), number)
        elif kind == _GET_ALTERNATIVE:
            self._send(_ALTERNATIVE, bytes([0, body[0], 0]), number)
        elif kind == _CONTROL:
            self._control(number, body)

    def _connect(self, theirs: int) -> None:
        """Plug the device in: its endpoints, its one interface, what it is."""
        self._long_ids = bool(theirs & _LONG_IDS)
        types = bytearray([_UNUSED] * 32)
        types[0] = types[16] = 0
        sizes = struct.pack("<32H", *([8, *[0] * 15] * 2)) if theirs & _ENDPOINT_SIZES else b""
        self._send(_ENDPOINTS, bytes(types) + bytes(64) + sizes)
        self._send(_INTERFACES, struct.pack("<I", 1) + bytes(32) + b"\xff" + bytes(31 + 64))
        version = struct.pack("<H", _VERSION) if theirs & _DEVICE_VERSION else b""
        self._send(_CONNECT, struct.pack("<BBBBHH", _FULL_SPEED, 0xFF, 0, 0, _VENDOR, _PRODUCT) + version)

    def _control(self, number: int, body: bytes) -> None:
        endpoint, request, type, _, value, index, length = struct.unpack_from("<BBBBHHH", body)
        answer = self._adapter.control(type, request, value, index, body[10:], length)
        status = _STALL if answer is None else 0
        count = len(answer or b"") if type & 0x80 else length
        header = struct.pack("<BBBBHHH", endpoint, request, type, status, value, index, count)
        self._send(_CONTROL, header + (answer or b""), number)

    def _send(self, kind: int, body: bytes, number: int = 0) -> None:
        header = struct.pack("<IIQ" if self._long_ids else "<III", kind, len(body), number)
        self._connection.sendall(header + body)

    def _receive(self, length: int) -> bytes:
        received = b""
        while len(received) < length:
            part = self._connection.recv(length - len(received))
            if not part:
                raise ConnectionError
            received += part
        return received
