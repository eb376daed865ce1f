"""The partition table of a card image: where its boot partition lies, and whether the file is one at all.

It only reads the MBR of a file, and leaves the partitions' content alone.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.errors import BadArtifactError

SECTOR = 512
_FAT_TYPES = (0x0B, 0x0C, 0x0E)
_GPT = 0xEE
# Other files mistaken for an image, by their first bytes.
_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP archive: unpack it, and use the .img in it",
    b"\x1f\x8b": "compressed with gzip: unpack it with `gunzip`",
    b"BZh": "compressed with bzip2: unpack it with `bunzip2`",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it with `unzstd`",
    b"\xfd7zXZ\x00": "compressed with xz: let its name end with .xz",
    b"QFI\xfb": "a disk of QEMU's own format: `qemu-img convert -O raw` makes an image of it",
    b"<": "a web page: the download went wrong",
}


@dataclass(frozen=True)
class Partition:
    """One entry of the table: its type, and where it lies, in bytes."""

    type: int
    start: int
    size: int


def boot_partition(image: Path, title: str = "") -> Partition:
    """The first FAT partition of `image`. BadArtifactError, calling it `title`, unless it is a whole card image."""
    title = title or str(image)
    found = partitions(image, title)
    if found[0].type == _GPT:
        raise _without_boot(title, "it has a GUID partition table")
    end, size = max(each.start + each.size for each in found), image.stat().st_size
    if size < end:
        raise BadArtifactError(
            f"{title} is truncated", f"it has {size:,} of at least {end:,} bytes", "download the image again"
        )
    for each in found:
        if each.type in _FAT_TYPES:
            return each
    raise _without_boot(title, "none of its partitions has a FAT file system")


def _without_boot(title: str, why: str) -> BadArtifactError:
    return BadArtifactError(f"{title} has no boot partition", why, "use an image of Raspberry Pi OS")


def partitions(image: Path, title: str) -> Sequence[Partition]:
    """The used entries of the image's MBR; raises BadArtifactError, calling it `title`, when the MBR is missing."""
    with image.open("rb") as file:
        block = file.read(SECTOR)
    for start, what in _OTHER_FILES.items():
        if block.startswith(start):
            raise BadArtifactError(f"{title} is no card image", f"it is {what}")
    if len(block) < SECTOR or block[510:] != b"\x55\xaa":
        raise BadArtifactError(f"{title} is no card image", "it does not begin with a partition table (MBR)")
    entries = [struct.unpack_from("<4xB3xII", block, 446 + 16 * number) for number in range(4)]
    found = [Partition(kind, start * SECTOR, size * SECTOR) for kind, start, size in entries if size]
    if not found:
        raise BadArtifactError(f"{title} is no card image", "its partition table is empty")
    return found
