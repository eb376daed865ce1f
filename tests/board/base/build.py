"""The base image, made once and kept: `image()` gives it, from the cache when the recipe is the same.

    python -m tests.board.base.build        make it, and print where it is

Needs root, for the files' owners. The cache is the folder $LAMPLIGHT_BOARD_CACHE, else ~/.cache/lamplight-board.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.board.base import initramfs, medium, recipe, system

_HERE = Path(__file__).parent


def cache() -> Path:
    """Where images are kept between two runs."""
    chosen = os.environ.get("LAMPLIGHT_BOARD_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "lamplight-board"


def image() -> Path:
    """The base image; made now if this recipe's is not there yet. Others in the cache are removed then."""
    made = cache() / f"base-{_key()}.img"
    cache().mkdir(parents=True, exist_ok=True)
    # Two runs at once make it once.
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for old in cache().glob("base-*"):
                old.unlink()
            _make(made)
    return made


def _key() -> str:
    """The recipe's hash: all that this folder holds."""
    parts = [each.name.encode() + each.read_bytes() for each in sorted(_HERE.glob("*.py"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _make(target: Path) -> None:
    part = target.with_suffix(".part")
    with tempfile.TemporaryDirectory(prefix="lamplight-base-") as scratch:
        root = Path(scratch) / "root"
        _unpack(root)
        _finish(root, Path(scratch), part)
    part.rename(target)


def _unpack(root: Path) -> None:
    """The packages' files, for the other architecture: nothing of it is run."""
    options = ("--quiet", "--mode=root", "--variant=extract", "--format=directory", "--skip=check/qemu")
    choice = (f"--architectures={recipe.ARCHITECTURE}", f"--include={','.join(recipe.PACKAGES)}")
    trust = (f"--keyring={recipe.KEYRING}", '--aptopt=Apt::Install-Recommends "false"')
    command = ["mmdebstrap", *options, *choice, *trust, recipe.SUITE, str(root), recipe.MIRROR]
    subprocess.run(command, check=True)


def _finish(root: Path, scratch: Path, target: Path) -> None:
    """Make the image `target` of the unpacked packages in `root`."""
    modules = system.finish(root)
    kernel = next((root / "boot").glob("vmlinuz-*"))
    tree = next((root / "usr/lib").glob(f"linux-image-*/broadcom/{recipe.DEVICE_TREE[0]}"))
    boot = {"kernel8.img": shutil.move(kernel, scratch / "kernel8.img"), recipe.DEVICE_TREE[1]: tree}
    initial = initramfs.build(root, modules, recipe.EARLY_MODULES)
    for name, data in {**recipe.BOOT_FILES, "initramfs8": initial}.items():
        boot[name] = scratch / name
        boot[name].write_bytes(data)
    medium.write(target, boot, root)


if __name__ == "__main__":
    print(image())
