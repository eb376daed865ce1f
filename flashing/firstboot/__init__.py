"""How an image is told its work for the first boot: one module for each mechanism, chosen from the image's files.

    cloud-init   Raspberry Pi OS since Trixie: `user-data`, `meta-data`, `network-config` on the boot partition
    firstrun     Raspberry Pi OS Bookworm and the first of Trixie: a script named by the kernel command line

A mechanism is a function from the existing files to those to write; it is free of I/O, and its only secrets are those
in Settings. The agent itself is installed by on_board/install.sh, and every mechanism runs that.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from device.errors import BadArtifactError
from flashing.bootfs import BootFiles
from flashing.networks import Networks

FOLDER = "lamplight"
# Where Raspberry Pi OS mounts the boot partition since Bookworm.
MOUNTED = "/boot/firmware"
# The sign, in each file, of somebody's own settings.
_ANYTHING = re.compile(r"^\s*[^#\s]", re.M)
_SOMEBODYS = {
    "user-data": re.compile(r"^(?!ssh_pwauth:)[^#\s][^:\n]*:", re.M),
    "network-config": re.compile(r"^\s*[\"']?wifis[\"']?\s*:", re.M),
    **dict.fromkeys(("firstrun.sh", "custom.toml", "userconf.txt", "wpa_supplicant.conf"), _ANYTHING),
}
# Kernel arguments: they make systemd run one command at boot (systemd-run-generator(8)).
RUNS = ("systemd.run", "systemd.unit=kernel-command-line.target")
_I2C = re.compile(r"\s*#?\s*dtparam=i2c_arm=")
INSTALL = f"{MOUNTED}/{FOLDER}/install.sh"
_MEMORY = "cgroup_enable=memory"
# The mark left by install.sh at its end.
DONE = "/etc/lamplight/installed"


@dataclass(frozen=True)
class Settings:
    """A person's choices for one board: its name in the network, the networks it joins, and who may log in."""

    hostname: str
    networks: Networks
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
    """The files with somebody's own settings for the first boot, as Raspberry Pi Imager writes them.

    A published image has the files of cloud-init as well, with comments, the wire and `ssh_pwauth` (pi-gen,
    stage2/04-cloud-init): a key beyond these is the sign.
    """
    there = list(somebodys(files))
    if "systemd.run=" in files.read("cmdline.txt"):
        there.append("cmdline.txt")
    return there


def somebodys(files: BootFiles) -> Sequence[str]:
    """Those of `customised` with only such settings in them: they may be removed."""
    return [name for name, own in _SOMEBODYS.items() if own.search(files.read(name))]


def with_i2c(config: str) -> str:
    """The text of config.txt with the I2C bus of the header turned on."""
    lines = [line for line in config.splitlines() if not _I2C.match(line)]
    # A filter such as [cm4] holds until the next one.
    return "\n".join([*lines, "[all]", "dtparam=i2c_arm=on", ""])


def with_arguments(cmdline: str, added: str, replaced: str = "") -> str:
    """The kernel command line, a single line, with `added` and the memory controller.

    Raspberry Pi OS switches the controller off; without it, nothing bounds a function's memory as a whole. Arguments to
    run something else at the first boot are left out, and those beginning with `replaced`, if given.
    """
    gone = (*RUNS, replaced) if replaced else RUNS
    kept = [each for each in cmdline.split() if not each.startswith(gone)]
    return " ".join([*kept, added, *({_MEMORY} - {*kept})]) + "\n"
