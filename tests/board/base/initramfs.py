"""A small initramfs: loads the modules that the card needs, mounts the second partition, hands over to systemd.

Made of busybox and the kernel's own modules; no root and no emulation. It knows nothing of what is on the card.
"""

import gzip
import lzma
import stat
from collections.abc import Sequence
from pathlib import Path

_INIT = """#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t devtmpfs dev /dev
for module in {modules}; do $busybox insmod /modules/$module; done
tries=0
while ! card=$($busybox ls /dev/mmcblk?p2 2>/dev/null) && [ $tries -lt 600 ]; do
    $busybox sleep 0.1; tries=$((tries+1))
done
$busybox mount -t ext4 $card /root || exec $busybox sh
$busybox mount --move /dev /root/dev
exec $busybox switch_root /root /sbin/init
"""


def build(root: Path, modules: Path, wanted: Sequence[str]) -> bytes:
    """The initramfs for the system in `root`, whose kernel's modules (with modules.dep) lie in `modules`."""
    ordered = _with_needs(modules, wanted)
    archive = bytearray()
    for folder in ("bin", "dev", "root", "modules"):
        _add(archive, folder, stat.S_IFDIR | 0o755)
    _add(archive, "bin/busybox", stat.S_IFREG | 0o755, (root / "usr/bin/busybox").read_bytes())
    for path in ordered:
        _add(archive, f"modules/{_file_name(path)}", stat.S_IFREG | 0o644, lzma.decompress(path.read_bytes()))
    init = _INIT.format(modules=" ".join(map(_file_name, ordered)))
    _add(archive, "init", stat.S_IFREG | 0o755, init.encode())
    _add(archive, "TRAILER!!!", 0)
    return gzip.compress(bytes(archive), 6, mtime=0)


def _with_needs(modules: Path, wanted: Sequence[str]) -> list[Path]:
    """The modules' files in the order in which they can be loaded; one that is built in has none."""
    lines = (line.split(":") for line in (modules / "modules.dep").read_text().splitlines())
    needs = {path: rest.split() for path, rest in lines}
    by_name = {_file_name(Path(path)).removesuffix(".ko").replace("-", "_"): path for path in needs}
    ordered: list[str] = []
    for name in wanted:
        if path := by_name.get(name):
            # modules.dep(5): the last of the list comes first.
            ordered += [each for each in [*reversed(needs[path]), path] if each not in ordered]
    return [modules / each for each in ordered]


def _file_name(path: Path) -> str:
    return path.name.removesuffix(".xz")


def _add(archive: bytearray, name: str, mode: int, body: bytes = b"") -> None:
    """One entry in the format "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""
    encoded = name.encode() + b"\0"
    fields = (len(archive) + 1, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(encoded), 0)
    for part in (b"070701" + b"".join(b"%08X" % each for each in fields) + encoded, body):
        archive += part + bytes(-len(part) % 4)
