"""How an image is told what to do at its first boot: one module for each mechanism, chosen from the image's files.

    cloud-init   Raspberry Pi OS since Trixie: `user-data`, `meta-data`, `network-config` on the boot partition
    firstrun     Raspberry Pi OS Bookworm and the first of Trixie: a script that the kernel command line names

A mechanism is a function of the files that are there to those to write; it does no I/O and knows no secrets but
those in Settings. The agent itself is installed by on_board/install.sh, which every mechanism runs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from device.errors import BadArtifactError
from flashing.bootfs import BootFiles
from flashing.secrets import Wifi

FOLDER = "lamplight"
# Where Raspberry Pi OS mounts the boot partition since Bookworm.
MOUNTED = "/boot/firmware"
# The first boot of the image before this project's; `custom.toml` and `userconf.txt` are Raspberry Pi OS' own.
_TOLD = ("user-data", "network-config", "firstrun.sh", "custom.toml", "userconf.txt", "wpa_supplicant.conf")
_I2C = re.compile(r"\s*#?\s*dtparam=i2c_arm=")
INSTALL = f"{MOUNTED}/{FOLDER}/install.sh"


@dataclass(frozen=True)
class Settings:
    """What a person chose for one board: its name in the network, Wi-Fi, and who may log in."""

    hostname: str
    wifi: Wifi | None
    ssh_key: str


Mechanism = Callable[[Callable[[str], str], Settings], Mapping[str, str]]


def mechanisms() -> Mapping[str, Mechanism]:
    """All of them, by name."""
    from flashing.firstboot import cloud_init, firstrun

    return {"cloud-init": cloud_init.files, "firstrun": firstrun.files}


def detect(files: BootFiles) -> str:
    """The mechanism of this image. Raises BadArtifactError when it shows none."""
    if files.has("user-data") or files.has("meta-data"):
        return "cloud-init"
    if files.has("cmdline.txt") and files.has("config.txt"):
        return "firstrun"
    raise BadArtifactError(
        "The image does not show how it is configured at its first boot",
        "its boot partition has neither `user-data` (cloud-init) nor `cmdline.txt` and `config.txt` (firstrun)",
        "use an image of Raspberry Pi OS, or choose with --first-boot",
    )


def customised(files: BootFiles) -> Sequence[str]:
    """The files by which somebody has told the image already what to do at its first boot, as Raspberry Pi Imager does.

    The files of cloud-init that an image is published with hold comments only, and the instance's name.
    """
    there = [each for each in _TOLD if _says(files.read(each))]
    if "systemd.run=" in files.read("cmdline.txt"):
        there.append("cmdline.txt")
    return there


def _says(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def with_i2c(config: str) -> str:
    """The text of config.txt with the I2C bus of the header turned on."""
    lines = [line for line in config.splitlines() if not _I2C.match(line)]
    # A filter such as [cm4] holds until the next one.
    return "\n".join([*lines, "[all]", "dtparam=i2c_arm=on", ""])


def with_arguments(cmdline: str, replaced: str, added: str) -> str:
    """The kernel command line, which is one line, without arguments that begin with `replaced`, and with `added`."""
    kept = [each for each in cmdline.split() if not each.startswith(replaced)]
    return " ".join([*kept, added]) + "\n"
