"""An image onto a card, byte for byte, and read back. The choice of the card is disks.py's.

The first chunk, with the partition table, is written last: until then the card is visibly no system, come what may.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from device.errors import LamplightError, NotFoundError, RejectedError
from flashing.image import boot_partition

CHUNK = 4 * 1024 * 1024
_ABSENT = (errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM, errno.ENOENT)

# The step ("writing", "verifying"), bytes done, bytes in all.
Progress = Callable[[str, int, int], None]


def check_image(image: Path) -> int:
    """The size of `image` in bytes; NotFoundError or BadArtifactError unless it is a whole card image."""
    if not image.is_file():
        raise NotFoundError(f"There is no image {image}", "", "`flash.py image` makes one")
    boot_partition(image)
    return image.stat().st_size


def write(image: Path, card: Path, progress: Progress) -> str:
    """Write `image` to the start of `card` and compare; gives the SHA-256 of the card's content.

    LamplightError when the card was pulled out, is full, may not be opened, or gives back something else.
    """
    size = image.stat().st_size
    try:
        digest = _written(image, card, size, progress)
        found = _read_back(card, size, progress)
    except KeyboardInterrupt:
        raise LamplightError(f"Interrupted: {card} is not usable as it is", "", "write the image again") from None
    except OSError as error:
        raise _explained(card, error) from error
    if found != digest:
        raise LamplightError(
            f"{card} does not hold what was written to it",
            "reading it back gave other bytes: the card or the reader is defective, or smaller than it says",
            "use another card",
        )
    return digest


def _written(image: Path, card: Path, size: int, progress: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    # A disk mounted or otherwise in use does not open exclusively.
    descriptor = os.open(card, os.O_RDWR | os.O_EXCL)
    try:
        with image.open("rb") as source:
            first = source.read(CHUNK)
            digest.update(first)
            _put(descriptor, bytes(len(first)), 0)
            for chunk in iter(lambda: source.read(CHUNK), b""):
                digest.update(chunk)
                done = _put(descriptor, chunk, source.tell() - len(chunk)) - len(first)
                os.fsync(descriptor)
                progress("writing", done, size)
        _put(descriptor, first, 0)
        os.fsync(descriptor)
        _forget(descriptor, size)
    finally:
        os.close(descriptor)
    progress("writing", size, size)
    return digest.hexdigest()


def _put(descriptor: int, data: bytes, at: int) -> int:
    """Write all of `data` at the offset; gives the offset of its end."""
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count
    return at


def _forget(descriptor: int, size: int) -> None:
    """Let the written bytes be read from the card instead of memory, where the system can."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, size, os.POSIX_FADV_DONTNEED)


def _read_back(card: Path, size: int, progress: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    for chunk in _chunks(card, size):
        digest.update(chunk)
        done += len(chunk)
        progress("verifying", done, size)
    return digest.hexdigest()


def _chunks(card: Path, size: int) -> Iterator[bytes]:
    with card.open("rb", buffering=0) as file:
        while size > 0 and (chunk := file.read(min(CHUNK, size))):
            yield chunk
            size -= len(chunk)


def _explained(card: Path, error: OSError) -> LamplightError:
    why = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM):
        return RejectedError(f"{card} may not be written to", why, "run it with sudo")
    if error.errno == errno.EBUSY:
        return RejectedError(f"{card} is in use", why, "unmount what is on it")
    if error.errno == errno.ENOSPC:
        return LamplightError(f"{card} is full", "it is smaller than it says", "use another card")
    if error.errno in _ABSENT or error.errno == errno.EIO:
        return LamplightError(f"{card} was pulled out, or is defective", why, "put it back, and write the image again")
    return LamplightError(f"{card} could not be written", why)
