"""First boot by `firstrun.sh`: systemd runs the script named by the kernel command line, then starts again.

As rpi-imager does for Raspberry Pi OS Bookworm. The name is set by the system's own `imager_custom`. That knows one
network with a key, and writes its name as it is: networks are keyfiles of NetworkManager's, written by the script.
"""

import shlex
from collections.abc import Callable, Mapping

from flashing.firstboot import INSTALL, MOUNTED, RUNS, Settings, with_arguments, with_i2c
from flashing.networks import Networks, keyfile

SCRIPT = "firstrun.sh"
CONNECTIONS = "/etc/NetworkManager/system-connections"
_RUN = (
    f"systemd.run={MOUNTED}/{SCRIPT} systemd.run_success_action=reboot "
    "systemd.run_failure_action=reboot systemd.unit=kernel-command-line.target"
)
# Takes the arguments of _RUN out again.
_END = ";".join(f"s| {each.replace('.', '[.]')}[^ ]*||g" for each in RUNS)


def files(read: Callable[[str], str], settings: Settings) -> Mapping[str, str]:
    """The files of the boot partition to write, by name; `read` gives the existing ones."""
    return {
        SCRIPT: _script(settings),
        "cmdline.txt": with_arguments(read("cmdline.txt"), _RUN),
        "config.txt": with_i2c(read("config.txt")),
        **settings.networks.files,
    }


def _networks(networks: Networks) -> list[str]:
    made = keyfile.files(networks)
    lines = [f"mkdir -p {CONNECTIONS}"] if made else []
    # NetworkManager passes over a file that others may read.
    lines += [f"(umask 077; printf %s {shlex.quote(text)} >{CONNECTIONS}/{name})" for name, text in made.items()]
    if networks.wifi:
        # As `imager_custom` does: the radio is off until its country is known.
        lines.append(shlex.join(["raspi-config", "nonint", "do_wifi_country", networks.country]))
    return lines


def _script(settings: Settings) -> str:
    custom = "/usr/lib/raspberrypi-sys-mods/imager_custom"
    lines = [shlex.join([custom, "set_hostname", settings.hostname])]
    if settings.ssh_key:
        lines.append(shlex.join([custom, "enable_ssh", "-k", settings.ssh_key]))
    lines += _networks(settings.networks)
    return "\n".join(
        [
            "#!/bin/sh",
            "# One failure must not keep the rest from being done, and never this script from going away.",
            "set +e",
            *lines,
            f"sh {INSTALL}",
            f"rm -f {MOUNTED}/{SCRIPT}",
            f"sed -i {shlex.quote(_END)} {MOUNTED}/cmdline.txt",
            "exit 0",
            "",
        ]
    )
