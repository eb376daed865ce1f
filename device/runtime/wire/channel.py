"""Messages between agent and worker: one JSON object per packet, over a pair of connected sockets.

A packet is bounded (MAX_PACKET) and kept whole by the kernel, so a hostile worker finds no framing to break. Anything
but a well-formed object raises ProtocolError; messages.py gives the messages their meaning.
"""

import json
import mmap
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from json import encoder
from pathlib import Path

from device.protocol.errors import ProtocolError
from device.runtime.wire import attachment

# Below Linux's default socket buffer (212,992 bytes): a packet always fits.
MAX_PACKET = 128 * 1024
# macOS has no SOCK_SEQPACKET for Unix sockets; datagrams of a connected pair keep packets whole as well.
_KIND = socket.SOCK_DGRAM if sys.platform == "darwin" else socket.SOCK_SEQPACKET


class ChannelClosedError(Exception):
    """The other side has gone, or leaves its messages unread."""


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _refuse_type(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is nothing that JSON can say")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is out of range")
    return value


_Encode = Callable[[object, int], Iterable[str]]
# Made once: JSONEncoder.encode makes it anew for every message. Other scripts stay unescaped, so a lone surrogate is an
# error in the process that made it. Markers are off, so a value inside itself is a RecursionError.
_ENCODE: _Encode = encoder.c_make_encoder(  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
    None, _refuse_type, encoder.encode_basestring, None, ":", ",", False, False, False
)
_DECODER = json.JSONDecoder(parse_constant=_refuse)
# A hook for every number costs as much as all the rest of decoding, and only these can be out of range.
_CAREFUL = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_EXPONENT = re.compile(r"[eE][+0-9]").search
_LONG_NUMBER = re.compile(r"[0-9]{300}").search


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets; each packet stays whole."""
    ends = socket.socketpair(socket.AF_UNIX, _KIND)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_PACKET)
    return ends


def adopt(fd: int) -> socket.socket:
    """The socket behind an inherited or received file descriptor; closed to the programs this process executes."""
    end = socket.socket(fileno=fd)
    end.set_inheritable(False)
    return end


def encode(message: dict[str, object]) -> bytes:
    """`message` as a packet.

    Raises ValueError or TypeError for values beyond JSON (NaN too), ProtocolError when too long.
    """
    packet = "".join(_ENCODE(message, 0)).encode()
    if len(packet) > MAX_PACKET:
        raise ProtocolError(f"{len(packet)} bytes as JSON; at most {MAX_PACKET}")
    return packet


def decode(packet: bytes | memoryview) -> dict[str, object]:
    """The message in a packet; raises ProtocolError. Strict, for it may come from a hostile worker."""
    try:
        text = str(packet, "utf-8")
        message, end = (_CAREFUL if _may_overflow(text) else _DECODER).raw_decode(text)
        if end != len(text):
            raise ValueError("more than one message in a packet")
        if "\\u" in text:
            # An escaped lone surrogate would pass here and break the text's later writer.
            "".join(_ENCODE(message, 0)).encode()
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"malformed message: {error}") from None
    if not isinstance(message, dict):
        raise ProtocolError("malformed message: it is no table")
    return message  # pyright: ignore[reportUnknownVariableType] # JSON's keys are texts


def _decode_trusted(packet: memoryview) -> dict[str, object]:
    return _DECODER.raw_decode(str(packet, "utf-8"))[0]


def _may_overflow(text: str) -> bool:
    return bool(_EXPONENT(text) or (len(text) > 300 and _LONG_NUMBER(text)))


class Channel:
    """One end. Any thread may send; one thread receives.

    The worker's end waits for room to send. The agent's fails at once (`waits=False`): it has at most one message
    unread, so a full buffer means a worker that has stopped reading, and the agent must go on. The worker trusts its
    messages (`strict=False`), for it is in the agent's hands anyway.
    """

    def __init__(self, end: socket.socket, waits: bool = True, strict: bool = True) -> None:
        self._socket = end
        self._flags = 0 if waits else socket.MSG_DONTWAIT
        # One byte more than a packet may have: a longer one shows. Memory of its own from the kernel takes up only the
        # part reached by packets; a bytearray is written throughout.
        self._view = memoryview(mmap.mmap(-1, MAX_PACKET + 1, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        self._sending = threading.Lock()
        self._decode = decode if strict else _decode_trusted

    def fileno(self) -> int:
        """For poll; -1 once closed."""
        return self._socket.fileno()

    def send(self, message: dict[str, object]) -> None:
        """Send one message. Raises as `encode` does, ChannelClosedError when the other side is gone."""
        self.send_packet(encode(message))

    def send_packet(self, packet: bytes) -> None:
        """Send a packet made by `encode`."""
        try:
            with self._sending:
                self._socket.send(packet, self._flags)
        except OSError:
            raise ChannelClosedError from None

    def attach(self, data: bytes) -> None:
        """Send bytes too long for a packet (attachment.py). Raises ChannelClosedError."""
        try:
            with self._sending:
                attachment.send(self._socket, data)
        except OSError:
            raise ChannelClosedError from None

    def detach(self, to: Path) -> None:
        """Receive them into the new file `to`. Raises OSError."""
        attachment.receive(self._socket, to)

    def receive(self) -> dict[str, object]:
        """The next message, waiting for it.

        Raises ChannelClosedError, or ProtocolError for a malformed or oversized packet.
        """
        try:
            size = self._socket.recv_into(self._view)
        except OSError:
            raise ChannelClosedError from None
        if not size:
            raise ChannelClosedError
        if size > MAX_PACKET:
            raise ProtocolError(f"oversized message: more than {MAX_PACKET} bytes")
        return self._decode(self._view[:size])

    def hang_up(self) -> None:
        """Make the receiver, in any thread, see the end after the messages already there."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # It was closed, or the other side went first: the receiver sees the end either way.
            pass

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
