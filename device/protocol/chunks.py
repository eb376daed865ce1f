"""Artifacts as content-addressed chunks, and the index of an artifact's chunks.

An artifact of at most CHUNK_SIZE bytes is its own only chunk and needs no index. A longer one
has an index: a JSON document, itself delivered as a chunk, with the digest of each chunk in order.
Hosted brokers take payloads of at most 128 kB, hence the size.
"""

import hashlib
import json

from .errors import ProtocolError
from .fields import items, only, sha256, table

CHUNK_SIZE = 128 * 1024
# Bounded by the index being a chunk itself: 67 bytes a line.
MAX_CHUNKS = CHUNK_SIZE // 68
MAX_ARTIFACT = MAX_CHUNKS * CHUNK_SIZE


def digest(data: bytes) -> str:
    """sha256 of `data` in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def count(length: int) -> int:
    """How many chunks an artifact of `length` bytes has; an empty one has none."""
    return (length + CHUNK_SIZE - 1) // CHUNK_SIZE


def split(data: bytes) -> list[bytes]:
    """`data` cut into chunks; raises ProtocolError when it is empty or longer than MAX_ARTIFACT."""
    if not data:
        raise ProtocolError("artifact: is empty")
    if len(data) > MAX_ARTIFACT:
        raise ProtocolError(f"artifact: {len(data)} bytes; at most {MAX_ARTIFACT} can be sent")
    return [data[i : i + CHUNK_SIZE] for i in range(0, len(data), CHUNK_SIZE)]


def encode_index(digests: list[str]) -> bytes:
    """The index of the chunks with these digests, in order."""
    return json.dumps({"chunks": digests}, separators=(",", ":")).encode()


def decode_index(data: bytes, length: int) -> list[str]:
    """The chunk digests of an artifact of `length` bytes; raises ProtocolError when this cannot be its index."""
    try:
        document = table(json.loads(data), "index")
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"index: is not JSON: {error}") from None
    only(document, ("chunks",), "index")
    digests = [sha256(each, "index.chunks") for each in items(document.get("chunks"), "index.chunks")]
    if len(digests) != count(length):
        raise ProtocolError(f"index: lists {len(digests)} chunks; {length} bytes have {count(length)}")
    return digests
