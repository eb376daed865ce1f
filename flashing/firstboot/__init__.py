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
# What shows, in each file, that somebody wrote it.
_ANYTHING = re.compile(r"^\s*[^#\s]", re.M)
_SOMEBODYS = {
    "user-data": re.compile(r"^(?!ssh_pwauth:)[^#\s][^:\n]*:", re.M),
    "network-config": re.compile(r"^\s*[\"']?wifis[\"']?\s*:", re.M),
    **dict.fromkeys(("firstrun.sh", "custom.toml", "userconf.txt", "wpa_supplicant.conf"), _ANYTHING),
}
# The arguments of the kernel by which systemd runs one command at boot (systemd-run-generator(8)).
RUNS = ("systemd.run", "systemd.unit=kernel-command-line.target")
_I2C = re.compile(r"\s*#?\s*dtparam=i2c_arm=")
INSTALL = f"{MOUNTED}/{FOLDER}/install.sh"
# What install.sh leaves when it has come to its end.
DONE = "/etc/lamplight/installed"


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

    Those of cloud-init are on an image that is published as well, with comments, the wire and `ssh_pwauth` (pi-gen,
    stage2/04-cloud-init): what counts is a key beyond these.
    """
    there = list(somebodys(files))
    if "systemd.run=" in files.read("cmdline.txt"):
        there.append("cmdline.txt")
    return there


def somebodys(files: BootFiles) -> Sequence[str]:
    """Those of `customised` that are nothing but such settings, and so may be removed."""
    return [name for name, own in _SOMEBODYS.items() if own.search(files.read(name))]


def with_i2c(config: str) -> str:
    """The text of config.txt with the I2C bus of the header turned on."""
    lines = [line for line in config.splitlines() if not _I2C.match(line)]
    # A filter such as [cm4] holds until the next one.
    return "\n".join([*lines, "[all]", "dtparam=i2c_arm=on", ""])


def with_arguments(cmdline: str, added: str, replaced: str = "") -> str:
    """The kernel command line, which is one line, with `added`.

    Without those by which something else runs at the first boot, nor any that begins with `replaced`, if that is given.
    """
    gone = (*RUNS, replaced) if replaced else RUNS
    kept = [each for each in cmdline.split() if not each.startswith(gone)]
    return " ".join([*kept, added]) + "\n"
