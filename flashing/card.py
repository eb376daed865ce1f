"""A card image for one device: the base image, with the needs of its first boot on the boot partition.

The image is made beside its final name and renamed when it is whole, readable by its owner only. Identity, agent and
settings are given to it, and writing a card is writing.py's.
"""

import lzma
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from boards import Board
from device.errors import BadArtifactError, NotFoundError, RejectedError, UsageError
from flashing import bootfs, firstboot
from flashing.bootfs import BootFiles
from flashing.firstboot import FOLDER, Settings

_CHUNK = 4 * 1024 * 1024
# Raspberry Pi OS for 32 bits has the kernels of the older boards beside the one for 64.
_KERNELS_32 = ("kernel.img", "kernel7.img", "kernel7l.img")
# Bytes read so far.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Plan:
    """The content for the card: first-boot settings by the mechanism named ("" to detect it), and the agent's files.

    `replace`: first-boot settings put on the image by somebody else are lost.
    """

    board: Board
    settings: Settings
    mechanism: str
    replace: bool = False


def unpack(base: Path, to: Path, progress: Progress) -> None:
    """Copy the image `base`, unpacked when its name ends with .xz, to the new file `to`, for its owner only.

    Raises NotFoundError, BadArtifactError for a damaged archive, RejectedError when the disk is full.
    """
    try:
        raw = base.open("rb")
    except OSError as error:
        raise NotFoundError(f"{base} cannot be read", error.strerror or str(error)) from None
    try:
        with raw, os.fdopen(_new(to), "wb") as file:
            for chunk in _chunks(raw, base.suffix == ".xz"):
                file.write(chunk)
                progress(raw.tell())
    except (lzma.LZMAError, EOFError) as error:
        raise BadArtifactError(f"{base} is truncated or damaged", str(error), "download the image again") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise RejectedError(f"The image could not be unpacked to {to.parent}", why, "make room there") from None


def _chunks(raw: BinaryIO, packed: bool) -> Iterator[bytes]:
    if not packed:
        yield from iter(lambda: raw.read(_CHUNK), b"")
        return
    with lzma.open(raw) as source:
        yield from iter(lambda: source.read(_CHUNK), b"")


def check(image: Path, plan: Plan, title: str) -> str:
    """Whether `image`, a copy of `title`, is a fresh one for the plan's board, and not a card already.

    Gives the first-boot mechanism. Raises RejectedError, BadArtifactError; UsageError for a board without a card.
    """
    if plan.board.flash.method != "card":
        why = "it is simulated" if plan.board.simulated else "it keeps the system that it has"
        raise UsageError(f"{plan.board.name} is not flashed with a card", why, "see its README.md")
    with bootfs.opened(image, read_only=True, title=title) as files:
        if files.has(FOLDER):
            raise RejectedError(
                f"{title} is a card already",
                "there is a Lamplight on it",
                "take the image as it was downloaded",
            )
        _refuse_32_bits(files)
        missing = [each for each in plan.board.flash.files if not files.has(each)]
        if missing:
            raise BadArtifactError(
                f"The image is not for a {plan.board.name}",
                f"its boot partition has no {', '.join(missing)}",
                "check --board, or take an image of Raspberry Pi OS (64 bits)",
            )
        if not plan.replace and (there := firstboot.customised(files)):
            raise RejectedError(
                f"{title} has settings for its first boot already",
                f"they would be lost: {', '.join(there)}",
                "take the image as it was downloaded, or --replace",
            )
        return plan.mechanism or firstboot.detect(files)


def _refuse_32_bits(files: BootFiles) -> None:
    old = [each for each in _KERNELS_32 if files.has(each)]
    if old:
        raise BadArtifactError(
            "The image is one for 32 bits",
            f"its boot partition has {', '.join(old)}",
            "take Raspberry Pi OS (64 bits): the libraries have no wheels for 32-bit ARM",
        )


def inject(image: Path, plan: Plan, mechanism: str, brought: Mapping[str, bytes], title: str) -> None:
    """Write the settings for the first boot, and the files `brought` into the folder of ours, into `image`.

    It is a copy of the image `title`.
    """
    with bootfs.opened(image, title=title) as files:
        settings = firstboot.mechanisms()[mechanism](files.read, plan.settings)
        for name in firstboot.somebodys(files) if plan.replace else ():
            files.remove(name)
        for name, data in brought.items():
            files.write(f"{FOLDER}/{name}", data)
        for name, text in settings.items():
            files.write_text(name, text)


def make(
    base: Path, output: Path, plan: Plan, bring: Callable[[], Mapping[str, bytes]], progress: Progress, again: bool
) -> str:
    """Make the card image `output`; gives the mechanism it used.

    `bring` gives the files for our folder; it is called when the image has passed its checks. An existing file of the
    name is only replaced when `again`. After an error or an interrupt the new image is gone entirely.
    """
    if not output.parent.is_dir():
        raise NotFoundError(f"There is no folder {output.parent}", "the card image would be made in it")
    if output.is_dir():
        raise UsageError(f"{output} is a folder", "the card image would be made in its place", f"-o {output}/NAME.img")
    if output.exists() and not again:
        raise UsageError(f"{output} exists", "", "--again replaces it")
    part = output.with_name(output.name + ".part")
    try:
        unpack(base, part, progress)
        mechanism = check(part, plan, base.name)
        inject(part, plan, mechanism, bring(), base.name)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return mechanism


def _new(path: Path) -> int:
    """A new file for its owner only, in place of any leftover under that name."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
