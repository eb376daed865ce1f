"""A base image such as Raspberry Pi OS', small: MBR, partitions at 8 MiB, a FAT32 `bootfs` and a root after it.

What is on it afterwards is read with mtools, which shares no code with what wrote it.
"""

import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MIB = 1024 * 1024
START = 8 * MIB
BOOT_SIZE = 40 * MIB
ROOT_SIZE = 4 * MIB

COMMON = {
    "config.txt": "# For more options see the manual\n#dtparam=i2c_arm=on\ndtparam=audio=on\n[cm4]\notg_mode=1\n",
    "cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=5eed0001-02 rootfstype=ext4 rootwait quiet",
    "kernel8.img": "kernel",
    "bcm2710-rpi-3-b.dtb": "tree",
    "bcm2710-rpi-3-b-plus.dtb": "tree",
    "bcm2710-rpi-zero-2-w.dtb": "tree",
    "bcm2711-rpi-4-b.dtb": "tree",
    "bcm2712-rpi-5-b.dtb": "tree",
}
TRIXIE = {
    **COMMON,
    "cmdline.txt": COMMON["cmdline.txt"] + " ds=nocloud;i=rpi-imager-1\n",
    "user-data": "#cloud-config\n",
    "meta-data": "instance-id: rpios-image\n",
    "network-config": "# nothing\n",
}
BOOKWORM = {
    **COMMON,
    "cmdline.txt": COMMON["cmdline.txt"] + " init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
}

MakeImage = Callable[..., Path]


def mtools(command: str, image: Path, *arguments: str) -> bytes:
    """What an mtools command says of the image's boot partition."""
    line = [command, "-i", f"{image}@@{START}", *arguments]
    return subprocess.run(line, check=True, capture_output=True).stdout


def read(image: Path, name: str) -> str:
    """A file of the boot partition, by mtools."""
    return mtools("mtype", image, f"::/{name}").decode()


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """Makes the base image `name` with these files on its boot partition."""

    def make(files: Mapping[str, str] = TRIXIE, name: str = "base.img", boot_size: int = BOOT_SIZE) -> Path:
        image = tmp_path / name
        with image.open("wb") as file:
            file.truncate(START + boot_size + ROOT_SIZE)
            file.write(_table(boot_size))
        kib = str(boot_size // 1024)
        command = ["mkfs.vfat", "-F", "32", "-s", "1", "-n", "bootfs", "--offset", str(START // 512), str(image), kib]
        subprocess.run(command, check=True, capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        for each, text in files.items():
            source = tmp_path / "file"
            source.write_text(text)
            mtools("mcopy", image, str(source), f"::/{each}")
        return image

    return make


def _table(boot_size: int) -> bytes:
    entries = b"".join(
        struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start // 512, size // 512)
        for kind, start, size in ((0x0C, START, boot_size), (0x83, START + boot_size, ROOT_SIZE))
    )
    return bytes(440) + struct.pack("<IH", 0x5EED0001, 0) + entries + bytes(32) + b"\x55\xaa"
