"""The files of an image's boot partition, read and written in place: no root, no mounting.

Names are looked up ignoring case, as FAT means them. The files' meaning is left to the caller.
"""

import errno
import struct
import warnings
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from device.errors import BadArtifactError, LamplightError, RejectedError
from flashing.image import SECTOR, boot_partition


class BootFiles:
    """The files of one open FAT file system. Paths are relative to its root, with '/' between folder and name."""

    def __init__(self, filesystem: Any) -> None:
        self._fs = filesystem

    def has(self, path: str) -> bool:
        """Whether there is a file or folder `path`."""
        return bool(self._fs.exists(self._found(path)))

    def read(self, path: str) -> str:
        """The text of the file `path`, "" when it is missing. Bytes outside UTF-8 are kept for `write_text`."""
        found = self._found(path)
        return self._fs.readbytes(found).decode("utf-8", "surrogateescape") if self._fs.exists(found) else ""

    def write(self, path: str, data: bytes) -> None:
        """Make or replace the file `path`, and make the folders above it."""
        folders = path.split("/")[:-1]
        for depth in range(1, len(folders) + 1):
            if not self.has(folder := "/".join(folders[:depth])):
                self._fs.makedir(self._found(folder))
        self._fs.writebytes(self._found(path), data)

    def write_text(self, path: str, text: str) -> None:
        """Make or replace the file `path`; a text from `read` comes out as it was."""
        self.write(path, text.encode("utf-8", "surrogateescape"))

    def remove(self, path: str) -> None:
        """Take the file `path` away, where there is one."""
        if self.has(path):
            self._fs.remove(self._found(path))

    def _found(self, path: str) -> str:
        """`path` as it is spelt on the partition, where it is there."""
        at = "/"
        for part in path.split("/"):
            there: list[str] = self._fs.listdir(at) if self._fs.exists(at) else []
            at = f"{at.rstrip('/')}/{next((each for each in there if each.lower() == part.lower()), part)}"
        return at


@contextmanager
def opened(image: Path, read_only: bool = False, title: str = "") -> Generator[BootFiles]:
    """The files of the boot partition of `image`, called `title` to a person.

    Raises BadArtifactError when it has none or an unreadable one, RejectedError when it is full. All written files are
    in the image when the block ends.
    """
    start = boot_partition(image, title).start
    try:
        # The library's base warns of the packaging tools loading it, and the library itself of cards once pulled out.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pyfatfs.PyFatFS import PyFatFS  # pyright: ignore[reportMissingTypeStubs]

            with closing(PyFatFS(str(image), offset=start, read_only=read_only)) as filesystem:
                yield BootFiles(filesystem)
    except LamplightError:
        raise
    except Exception as error:
        # A damaged file system makes the library stumble anywhere: struct.error, IndexError and more.
        raise _unusable(title or image.name, error) from error
    if not read_only:
        _forget_free_count(image, start)


def _unusable(title: str, error: Exception) -> LamplightError:
    full = getattr(error, "errno", None) == errno.ENOSPC
    if full and isinstance(error, OSError):
        return RejectedError(f"{title} could not be written", "the disk is full", "make room there")
    if full:
        return RejectedError(
            f"The boot partition of {title} has no space for the agent and its libraries",
            "",
            "use an image whose boot partition is larger; Raspberry Pi OS has 512 MiB",
        )
    why = str(error) or type(error).__name__
    return BadArtifactError(f"The boot partition of {title} cannot be used", why, "download the image again")


def _forget_free_count(image: Path, start: int) -> None:
    """Mark the number of free clusters as unknown, as the library does not keep it: the mounting system counts anew.

    FSINFO of FAT32 (Microsoft's FAT specification 1.03, "FAT32 FSInfo Sector Structure").
    """
    with image.open("r+b") as file:
        file.seek(start)
        block = file.read(SECTOR)
        if block[82:87] == b"FAT32":
            sector_size, number = struct.unpack_from("<H", block, 11)[0], struct.unpack_from("<H", block, 48)[0]
            file.seek(start + sector_size * number + 488)
            file.write(b"\xff" * 8)
