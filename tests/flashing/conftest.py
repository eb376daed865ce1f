"""A base image such as Raspberry Pi OS', small: MBR, partitions at 8 MiB, a FAT32 `bootfs` and a root after it.

What is on it afterwards is read with mtools, which shares no code with what wrote it.
"""

import struct
import subprocess
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PASSWORD = "a-secret-of-the-device"
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


# What is compiled, and so differs between boards.
BUILT = {"gpiod", "zstandard", "onnxruntime", "numpy"}


def needed() -> list[Requirement]:
    """What the agent needs on a board, as the project says it now."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    return [Requirement(each) for each in (*project["dependencies"], *project["optional-dependencies"]["ai"])]


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of pip's index: wheels for 64-bit ARM, and newer ones for this machine as a trap."""
    return fill(tmp_path / "wheels", monkeypatch)


def fill(folder: Path, environment: pytest.MonkeyPatch) -> Path:
    """Make the folder of the fixture `wheels`, and pip's `environment` so that it looks there only."""
    folder.mkdir()
    for each in needed():
        oldest = next((bound.version for bound in each.specifier if bound.operator == ">="), "1")
        distribution = f"{each.name.lower().replace('-', '_')}-{oldest}"
        if each.name in BUILT:
            wheel(folder, distribution, "cp313-cp313-manylinux_2_28_aarch64")
            wheel(folder, f"{distribution}.99", "cp313-cp313-manylinux_2_28_x86_64")
        else:
            wheel(folder, distribution, "py3-none-any")
    environment.setenv("PIP_NO_INDEX", "1")
    environment.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(folder: Path, distribution: str, tag: str) -> None:
    """A wheel with nothing in it but its tag, a test, and tools such as onnxruntime has for larger machines."""
    name = distribution.split("-")[0]
    info = f"{distribution}.dist-info"
    version = distribution.split("-")[1]
    with zipfile.ZipFile(folder / f"{distribution}-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", f"TAG = {tag!r}\n")
        for other in ("core/tests/test_it.py", "quantization/__init__.py", "capi/libonnxruntime.so.1", "__init__.pyi"):
            wheel.writestr(f"{name}/{other}", "")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: crypto\n"
        )
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """A folder with a device's password and roots of trust."""
    folder = tmp_path / "identity"
    (folder / "roots").mkdir(parents=True)
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "password").chmod(0o600)
    for name in ("director", "image"):
        (folder / "roots" / f"{name}-root.json").write_text('{"signed": {}}')
    return folder
